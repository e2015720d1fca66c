//! An event as a message body: CloudEvents 1.0 in its JSON format, with ids and nothing else of a claim.

use crate::Result;
use crate::exchange::Event;
use crate::model::{ExchangeId, Json, PackageId, SiteId, Timestamp};
use serde::Serialize;

/// The media type of the structured JSON form (CloudEvents HTTP binding 1.0, section 3.2).
pub(super) const MEDIA_TYPE: &str = "application/cloudevents+json";

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: &'static str,
    time: Timestamp,
    subject: PackageId,
    datacontenttype: &'static str,
    data: Data<'a>,
}

/// What a receiver asks the host's own system with.
#[derive(Serialize)]
struct Data<'a> {
    package: PackageId,
    partner: &'a SiteId,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'a ExchangeId>,
}

/// The body that tells `event`, which happened at `site`. The reason of a failure stays here: it is a text for
/// people, and may name documents.
pub(super) fn body(site: &SiteId, id: &str, time: Timestamp, event: &Event) -> Result<String> {
    let data = Data { package: event.package(), partner: event.partner(), claim: event.claim() };
    let event = CloudEvent {
        specversion: "1.0",
        id,
        source: format!("/sites/{site}"),
        r#type: type_of(event),
        time,
        subject: data.package,
        datacontenttype: "application/json",
        data,
    };
    Ok(Json::from_serialize(&event)?.to_string())
}

fn type_of(event: &Event) -> &'static str {
    match event {
        Event::NewPackage { .. } => "claimwire.package.received",
        Event::NewNote { .. } => "claimwire.note.received",
        Event::AutomaticallyUnpacked { .. } => "claimwire.package.unpacked-here",
        Event::UnpackFailed { .. } => "claimwire.package.unpack-failed",
        Event::InfectedPackage { .. } => "claimwire.package.infected",
        Event::Exported { .. } => "claimwire.package.exported",
        Event::Delivered { .. } => "claimwire.package.delivered",
        Event::Unpacked { .. } => "claimwire.package.unpacked",
        Event::HeldUp { .. } => "claimwire.package.held-up",
        Event::Failed { .. } => "claimwire.package.failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_by_ids_alone() {
        let package = PackageId::generate();
        let event = Event::Failed {
            package,
            to: SiteId::new("IMEX").unwrap(),
            claim: "ON-INS/CLM-1".parse().unwrap(),
            reason: "document Okafor_knee.pdf".into(),
        };
        let time = "2026-03-02T14:30:00Z".parse().unwrap();
        let told = body(&SiteId::new("ON-INS").unwrap(), "e-1", time, &event).unwrap();
        let expected = format!(
            r#"{{"data":{{"claim":"ON-INS/CLM-1","package":"{package}","partner":"IMEX"}},"datacontenttype":"application/json","id":"e-1","source":"/sites/ON-INS","specversion":"1.0","subject":"{package}","time":"2026-03-02T14:30:00Z","type":"claimwire.package.failed"}}"#
        );
        let (told, expected): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&told).unwrap(), serde_json::from_str(&expected).unwrap());
        assert_eq!(told, expected);
    }

    #[test]
    fn an_unread_package_has_no_claim_yet() {
        let event = Event::NewPackage { package: PackageId::generate(), from: SiteId::new("IMEX").unwrap() };
        let told = body(&SiteId::new("ON-INS").unwrap(), "e-1", Timestamp::now(), &event).unwrap();
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["type"], "claimwire.package.received");
        assert_eq!(told["data"].get("claim"), None);
        assert_eq!(event.partner().as_str(), "IMEX");
    }
}
