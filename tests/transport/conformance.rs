//! Every transport of the crate passes the one suite that all transports must pass.

use crate::transport_tls::Authority;
use claimwire::protocol::Endpoint;
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::conformance::{Fixture, check};
use claimwire::transport::{
    DirectoryInbox, DirectoryTransport, HttpsSettings, HttpsTransport, MemoryTransport, Transport,
};
use std::sync::{Arc, Mutex};

fn passes(fixture: &dyn Fixture) {
    check(fixture).unwrap_or_else(|failures| panic!("{}", failures.join("\n")));
}

struct Memory;

impl Fixture for Memory {
    fn connect(&self, endpoint: Arc<dyn Endpoint>) -> claimwire::Result<Box<dyn Transport>> {
        Ok(Box::new(MemoryTransport::new(endpoint)))
    }
}

#[test]
fn memory_passes() {
    passes(&Memory);
}

struct Directory {
    folder: tempfile::TempDir,
    endpoint: Mutex<Option<(DirectoryInbox, Arc<dyn Endpoint>)>>,
}

impl Fixture for Directory {
    fn connect(&self, endpoint: Arc<dyn Endpoint>) -> claimwire::Result<Box<dyn Transport>> {
        let inbox = DirectoryInbox::new(self.folder.path())?;
        *self.endpoint.lock().unwrap() = Some((inbox, endpoint));
        Ok(Box::new(DirectoryTransport::new(self.folder.path())?.with_base_path("/claimwire/")))
    }

    fn settle(&self) -> claimwire::Result<()> {
        let endpoint = self.endpoint.lock().unwrap();
        let (inbox, endpoint) = endpoint.as_ref().expect("connected");
        inbox.poll(endpoint).map(drop)
    }
}

#[test]
fn directory_passes_and_leaves_nothing_behind() {
    let fixture = Directory { folder: tempfile::tempdir().unwrap(), endpoint: Mutex::new(None) };
    passes(&fixture);
    for folder in ["requests", "answers", "sent", "refused"] {
        let left: Vec<_> = std::fs::read_dir(fixture.folder.path().join(folder)).unwrap().collect();
        assert!(left.is_empty(), "{folder}: {left:?}");
    }
}

struct Https {
    authority: Authority,
    clients: Authority,
    running: Mutex<Vec<Running>>,
}

impl Fixture for Https {
    fn connect(&self, endpoint: Arc<dyn Endpoint>) -> claimwire::Result<Box<dyn Transport>> {
        let (server, client) = (self.authority.server(), self.clients.client());
        let tls =
            TlsSettings::new(server.chain, server.key).require_client_certificates(self.clients.pem.as_str());
        let running = Receiver::bind("127.0.0.1:0", tls, endpoint, ReceiverSettings::default())?;
        let url = format!("https://localhost:{}/claimwire/", running.local_addr().port());
        self.running.lock().unwrap().push(running);
        let settings = HttpsSettings::new(&url)?
            .root_certificates(self.authority.pem.as_str())
            .client_certificate(client.chain, client.key);
        Ok(Box::new(HttpsTransport::new(settings)?))
    }
}

#[test]
fn https_passes_against_the_receiver() {
    passes(&Https { authority: Authority::new(), clients: Authority::new(), running: Mutex::default() });
}
