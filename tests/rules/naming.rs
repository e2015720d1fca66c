//! Naming conventions for documents: what matches, what does not, and what is proposed instead.

use claimwire::rules::{NamingConvention, NamingFacts};
use proptest::prelude::*;
use std::time::Instant;

fn facts() -> NamingFacts<'static> {
    let mut facts = NamingFacts::new();
    facts.claim_number = Some("CLM 2026/0117");
    facts.policy_number = Some("P-9");
    facts.document_type = Some("Médical Report");
    facts.date = Some("2026-03-02".parse().unwrap());
    facts
}

fn matches(convention: &str, name: &str) -> bool {
    NamingConvention::new(convention).unwrap().matches(name, &facts())
}

fn proposal(convention: &str, name: &str) -> Option<String> {
    NamingConvention::new(convention).unwrap().check(name, &facts()).unwrap_err().proposal
}

#[test]
fn values_are_compared_without_case_and_with_spaces_and_slashes_replaced() {
    for name in ["CLM 2026-0117.pdf", "clm-2026_0117.PDF", "Clm_2026-0117.Pdf"] {
        assert!(matches("{claim_number}.pdf", name), "{name}");
    }
    for name in ["CLM20260117.pdf", "CLM+2026-0117.pdf", "CLM 2026-0117.pdf ", "xCLM 2026-0117.pdf"] {
        assert!(!matches("{claim_number}.pdf", name), "{name}");
    }
    assert!(!matches("{policy_number}.pdf", "P_9.pdf"), "a hyphen is a hyphen");
}

#[test]
fn a_fault_says_what_to_do() {
    let convention = NamingConvention::new("{claim_number}.{ext:pdf}").unwrap();
    assert_eq!(convention.to_string(), "{claim_number}.{ext:pdf}");
    let told = |name, facts| convention.check(name, &facts).unwrap_err().to_string();
    let proposed = told("scan.pdf", facts());
    assert!(proposed.ends_with(" Rename it, for example to `CLM-2026-0117.pdf`."), "{proposed}");
    let lacking = told("scan.pdf", NamingFacts::new());
    assert!(lacking.ends_with(" Fill that in or rename the document."), "{lacking}");
}

#[test]
fn the_two_unicode_forms_of_a_letter_are_one() {
    assert!(matches("{document_type}.pdf", "Me\u{301}dical-Report.pdf"));
    assert!(matches("Me\u{301}mo.pdf", "mémo.pdf"));
}

#[test]
fn dates_are_real_dates() {
    for (form, good, bad) in [
        ("{date:YYYYMMDD}", "20280229", "20270229"),
        ("{date:DD.MM.YYYY}", "31.12.2026", "31.11.2026"),
        ("{date:YYYY-MM}", "2026-12", "2026-13"),
        ("{date:MM_DD}", "02_29", "02_30"),
        ("{date:YYYY-MM-DD}", "2026-12-31", "2026.12.31"),
        ("{date:YYYYMMDD}", "20260302", "2026030"),
        ("{date:YYYYMMDD}", "20260302", "２０２６0302"),
        ("{date:YYYY}", "2026", "+026"),
    ] {
        assert!(matches(form, good), "{form} {good}");
        assert!(!matches(form, bad), "{form} {bad}");
    }
}

#[test]
fn numbers_texts_and_extensions_are_what_they_say() {
    assert!(matches("{number}.pdf", "0042.pdf") && !matches("{number}.pdf", ".pdf"));
    assert!(
        matches("{number:3}{number}", "0420")
            && !matches("{number:3}", "42")
            && !matches("{number:3}", "0042")
    );
    assert!(matches("{text}_{text}.{ext:pdf|tar.gz}", "a_b_c.TAR.GZ") && !matches("{text}_{text}", "a_"));
    assert!(!matches("{text}.{ext:pdf|docx}", "a.doc"));
    assert!(matches("{{{text}}}", "{x}"));
}

#[test]
fn a_proposal_is_built_from_what_is_known() {
    let convention = "{claim_number}_{document_type}_{date:YYYY-MM-DD}_{number:3}.{ext:pdf|docx}";
    let expected = |extension: &str| Some(format!("CLM-2026-0117_Médical-Report_2026-03-02_001.{extension}"));
    assert_eq!(proposal(convention, "final.DOCX"), expected("docx"));
    assert_eq!(proposal(convention, "final"), expected("pdf"));
    assert_eq!(
        proposal("{policy_number}_{text}.{ext:pdf}", "my report: 1.pdf").as_deref(),
        Some("P-9_my-report--1.pdf")
    );
}

#[test]
fn a_fault_says_what_stands_in_the_way() {
    let convention = NamingConvention::new("{claim_number}_{date:YYYYMMDD}.{ext:pdf|docx}").unwrap();
    let fault = convention.check("a.pdf", &NamingFacts::new()).unwrap_err();
    assert_eq!(fault.proposal, None);
    assert!(fault.to_string().contains("no claim number"), "{fault}");
    let mut undated = facts();
    undated.date = None;
    assert!(convention.check("a.pdf", &undated).unwrap_err().to_string().contains("no date"));
    let other_type = convention.check("a.xls", &facts()).unwrap_err().to_string();
    assert!(other_type.contains("pdf or docx") && other_type.contains("`a.xls`"), "{other_type}");
    let long = NamingConvention::new("{text}.pdf").unwrap().check(&"x".repeat(300), &facts()).unwrap_err();
    assert!(long.to_string().contains("too long"), "{long}");
}

#[test]
fn no_convention_and_no_name_take_long() {
    let convention = NamingConvention::new(&format!("{}b", "{text}{number}".repeat(60))).unwrap();
    let name = "1".repeat(255);
    let start = Instant::now();
    assert!(!convention.matches(&name, &facts()));
    let endless = "1".repeat(10_000_000);
    let mut endless_claim = facts();
    endless_claim.claim_number = Some(&endless);
    let convention = NamingConvention::new(&"{text}{claim_number}".repeat(40)).unwrap();
    assert!(!convention.matches(&name, &endless_claim));
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn a_convention_is_stored_as_it_was_written() {
    let text = "{claim_number}.{ext:pdf}";
    let convention: NamingConvention = text.parse().unwrap();
    let json = serde_json::to_string(&convention).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<NamingConvention>(&json).unwrap(), convention);
}

proptest! {
    #[test]
    fn any_text_is_a_convention_or_a_clear_error(text in "\\PC{0,40}|[{}a-z:|0-9YMD_.-]{0,40}", name in "\\PC{0,40}") {
        match NamingConvention::new(&text) {
            Ok(convention) => drop(convention.check(&name, &facts())),
            Err(error) => prop_assert!(error.to_string().contains("character"), "{error}"),
        }
    }

    #[test]
    fn what_is_proposed_matches(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("{claim_number}"), Just("{policy_number}"), Just("{document_type}"), Just("{date:YYYYMMDD}"),
                Just("{number}"), Just("{number:4}"), Just("{text}"), Just("_"), Just("Report "), Just("{ext:pdf|docx}"),
            ],
            1..6,
        ),
        name in "\\PC{0,30}",
    ) {
        let convention = NamingConvention::new(&parts.concat()).unwrap();
        if let Err(fault) = convention.check(&name, &facts())
            && let Some(proposal) = fault.proposal
        {
            prop_assert!(convention.matches(&proposal, &facts()), "{proposal}");
            prop_assert!(!proposal.contains(['/', '\\', ':']));
        }
    }
}
