//! What a partner reads of an error: no sentence that may hold what was never exchanged with it.
//!
//! The history, the error log and the host keep the whole sentence.

use crate::rules::ViolationCode;
use crate::{Detail, Error};

/// The error as the partner is told of it.
pub(super) fn told(error: Error) -> Error {
    let replaced: Vec<(&Detail, &str)> =
        error.details().iter().filter_map(|detail| Some((detail, sentence(detail)?))).collect();
    if replaced.is_empty() {
        return error;
    }
    // The error's own sentence sums up those of its details.
    let said = replaced
        .iter()
        .fold(error.to_string(), |said, (detail, sentence)| said.replace(detail.message.as_str(), sentence));
    Error::new(error.kind(), said)
        .with_details(error.details().iter().cloned().map(told_detail))
        .retryable(error.is_retryable())
}

/// One single fault as the partner is told of it.
pub(super) fn told_detail(detail: Detail) -> Detail {
    match sentence(&detail) {
        Some(sentence) => Detail { message: sentence.to_owned(), proposal: None, ..detail },
        None => detail,
    }
}

fn sentence(detail: &Detail) -> Option<&'static str> {
    ViolationCode::from(detail.code.clone()?).told()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::rules::{Violation, violations_error};

    #[test]
    fn a_sentence_about_this_site_is_replaced_and_one_about_the_package_stays() {
        let violations = [
            Violation::new(ViolationCode::ProtectedClaim, None, "Claim `SIU-77` is `fraud suspected`."),
            Violation::new(ViolationCode::UnknownBillType, None, "The bill type `OCF-21` is not known here."),
        ];
        let whole = violations_error(ErrorKind::ImportRulesViolated, &violations).retryable(true);
        let told = told(whole);
        let said = format!("{told} {:?}", told.details());
        assert!(!said.contains("SIU") && !said.contains("fraud"), "{said}");
        assert!(
            told.to_string().starts_with("the package may not be unpacked: The claim is protected"),
            "{told}"
        );
        assert!(told.to_string().ends_with("`OCF-21` is not known here."), "{told}");
        assert_eq!(told.details()[0].code.as_deref(), Some("protected-claim"));
        assert_eq!(told.details()[1].message, violations[1].message);
        assert!(told.kind() == ErrorKind::ImportRulesViolated && told.is_retryable());
    }
}
