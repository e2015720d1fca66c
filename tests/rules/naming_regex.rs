//! Naming conventions as regular expressions: the whole name, the facts in named groups, and hostile expressions.

use claimwire::ErrorKind;
use claimwire::rules::{NamingConvention, NamingFacts};
use proptest::prelude::*;
use std::time::Instant;

fn facts() -> NamingFacts<'static> {
    let mut facts = NamingFacts::new();
    facts.claim_number = Some("CLM 2026/0117");
    facts.document_type = Some("Médical Report");
    facts.date = Some("2026-03-02".parse().unwrap());
    facts
}

fn convention(expression: &str) -> NamingConvention {
    NamingConvention::new(&format!("regex:{expression}")).unwrap()
}

fn matches(expression: &str, name: &str) -> bool {
    convention(expression).matches(name, &facts())
}

fn refused(expression: &str) -> String {
    let error = NamingConvention::new(&format!("regex:{expression}")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    error.to_string()
}

#[test]
fn the_whole_name_must_match() {
    let expression = r"[A-Z]{3}-\d{4}\.(?:pdf|docx)";
    for (name, fits) in [
        ("CLM-0117.pdf", true),
        ("clm-0117.DOCX", true),
        ("CLM-0117.pdf.exe", false),
        ("x CLM-0117.pdf", false),
        ("CLM-0117.pdf\n", false),
        ("", false),
    ] {
        assert_eq!(matches(expression, name), fits, "{name:?}");
    }
    assert!(matches("a|b", "b") && !matches("a|b", "ab"), "alternatives stand for the whole name too");
    assert!(matches("(?-i)CLM", "CLM") && !matches("(?-i)CLM", "clm"));
    assert!(matches("Mémo", "ME\u{301}MO"), "both forms of a letter are one");
}

#[test]
fn an_expression_cannot_break_out_of_the_whole_name() {
    for expression in ["a)|(?:.*", "a)(?:b", "(?x)a #", "(?x)a # b"] {
        refused(expression);
    }
    assert!(!matches(r"\Aa|b\z", "a and more"));
    assert!(!matches("(?m)^a$", "a\nb") && !matches("(?s)a$", "a\n"));
}

#[test]
fn named_groups_hold_what_is_known_of_claim_and_document() {
    let expression = r"(?<claim_number>.+?)_(?<document_type>[^_]+)_(?<date>[\d.-]+)(?:_\d+)?\.pdf";
    assert!(!matches(expression, "clm-2026_0117_medical-report_20260302.pdf"), "e is not é");
    assert!(matches(expression, "CLM-2026-0117_médical report_2024-02-29_3.pdf"));
    let convention = convention(expression);
    let fault = convention.check("CLM-9_Médical-Report_20260302.pdf", &facts()).unwrap_err();
    assert_eq!(fault.reason.as_deref(), Some("The claim number in it is `CLM-9`, not `CLM 2026/0117`"));
    assert_eq!(fault.proposal.as_deref(), Some("CLM-2026-0117_Médical-Report_20260302.pdf"));
    let shown = fault.to_string();
    assert!(shown.contains("regex:") && shown.contains("`CLM-9_Médical-Report_20260302.pdf`"), "{shown}");

    let all = convention.check("CLM-9_invoice_20260230.pdf", &facts()).unwrap_err();
    assert_eq!(all.proposal.as_deref(), Some("CLM-2026-0117_Médical-Report_20260302.pdf"));
    let reason = all.reason.unwrap();
    for part in ["`CLM-9`", "`invoice`", "`20260230` is no date"] {
        assert!(reason.contains(part), "{reason}");
    }

    let unknown = convention.check("CLM-9_invoice_20260302.pdf", &NamingFacts::new()).unwrap_err();
    assert_eq!(unknown.proposal, None);
    assert!(unknown.to_string().contains("no claim number"), "{unknown}");
}

#[test]
fn a_date_has_eight_digits() {
    let expression = "(?<date>.+)[.]pdf";
    for (date, real) in [
        ("2026-03-02", true),
        ("2026", false),
        ("202603021", false),
        ("2026030a", false),
        ("\u{e9}\u{e9}\u{e9}a1", false),
        ("\u{664}\u{661}\u{660}\u{663}", false),
    ] {
        assert_eq!(matches(expression, &format!("{date}.pdf")), real, "{date}");
    }
}

#[test]
fn a_name_may_have_255_bytes_and_so_may_what_is_proposed() {
    let expression = "(?<claim_number>[A-Z0-9/-]+)_x+";
    let longest = |number: &str| format!("{number}_{}", "x".repeat(254 - number.len()));
    let right = longest("CLM-2026-0117");
    assert!(matches(expression, &right) && !matches(expression, &format!("{right}x")));
    let of = |name: &str| convention(expression).check(name, &facts()).unwrap_err();
    assert_eq!(of(&longest("CLM-2026-0118")).proposal, Some(right));
    let grown = of(&longest("CLM-1"));
    assert_eq!(grown.proposal, None, "the right number would make it too long");
    assert!(grown.reason.unwrap().contains("not `CLM 2026/0117`"));
}

#[test]
fn a_group_that_took_no_part_asks_for_nothing() {
    let expression = r"(?:(?<policy_number>P-\d+)_)?report\.pdf";
    assert!(matches(expression, "report.pdf"));
    let fault = convention(expression).check("P-9_report.pdf", &facts()).unwrap_err();
    assert!(fault.to_string().contains("no policy number"), "{fault}");
}

#[test]
fn a_name_that_does_not_fit_at_all_gets_no_made_up_proposal() {
    let fault = convention(r"\d+\.pdf").check("final.pdf", &facts()).unwrap_err();
    assert_eq!((fault.reason.clone(), fault.proposal.clone()), (None, None));
    assert!(fault.to_string().ends_with("Rename the document."), "{fault}");
    let nested = convention(r"(?<claim_number>x(?<document_type>y))").check("xy", &facts()).unwrap_err();
    assert_eq!(nested.proposal, None);
    let long = convention(".*").check(&"x".repeat(256), &facts()).unwrap_err();
    assert!(long.to_string().contains("more than 255 bytes"), "{long}");
}

#[test]
fn what_is_wrong_with_an_expression_is_told() {
    for (expression, what) in [
        ("", "1 to 1024 bytes"),
        ("(a", "unclosed group"),
        ("a{2,1}", "invalid repetition"),
        (r"(a)\1", "backreferences are not supported"),
        ("(?=a)", "look-around"),
        ("(?<claimnumber>.*)", "`claimnumber` is not known"),
        ("(?<date>a)(?<date>b)", "duplicate capture group name"),
    ] {
        let said = refused(expression);
        assert!(said.contains(what) && !said.contains('\n'), "{said}");
    }
}

#[test]
fn hostile_expressions_and_names_cost_little() {
    let start = Instant::now();
    assert!(refused("(?:a{1000}){1000}").contains("when compiled"));
    assert!(refused(r"\w{255}\w{255}\w{255}\w{255}").contains("when compiled"));
    assert!(refused(&"x".repeat(1025)).contains("1 to 1024"));
    assert!(refused(&format!("{}{}", "(".repeat(300), ")".repeat(300))).contains("nest"));
    let name = "a".repeat(255);
    for expression in ["(a*)*b", "(a|aa)+b", "(a|a?)+b", "(?:a?){255}a{255}b", "(.*)(.*)(.*)(.*)(.*)b"] {
        assert!(!matches(expression, &name), "{expression}");
    }
    assert!(!matches(".*", &"a".repeat(10_000_000)));
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn an_expression_is_stored_as_it_was_written_and_compared_so() {
    let text = r"regex:(?<claim_number>.+)\.pdf";
    let convention: NamingConvention = text.parse().unwrap();
    let json = serde_json::to_string(&convention).unwrap();
    assert_eq!(serde_json::from_str::<NamingConvention>(&json).unwrap(), convention);
    assert_eq!(convention.as_str(), text);
    assert_ne!(convention, NamingConvention::new("regex:.*").unwrap());
}

#[cfg(feature = "toml")]
#[test]
fn settings_take_an_expression_and_tell_what_is_wrong_with_one() {
    use claimwire::settings::PartnerSettings;
    let settings = |naming: &str| {
        let public = claimwire::protocol::SigningKey::generate("k").unwrap().verifying_key().to_text();
        PartnerSettings::from_toml(&format!(
            "site = \"IMEX\"\nnumber = 7\nalias = \"E\"\n[export]\nnaming = '{naming}'\n[[keys.verifying]]\nid = \"k\"\n\
             public = \"{}\"\n[[keys.incoming]]\nversion = 1\nsuite = \"des-md5\"\nframing = \"openssl\"\n\
             secret = {{ env = \"S\" }}",
            public.as_str()
        ))
    };
    let read = settings(r"regex:(?<claim_number>.+)_\d{8}\.pdf").unwrap();
    assert_eq!(PartnerSettings::from_json(&read.to_json().unwrap()).unwrap(), read);
    let error = settings("regex:(a").unwrap_err();
    assert!(error.details()[0].message.starts_with("export.naming: "), "{error}");
    assert!(error.details()[0].message.contains("unclosed group"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_a_clear_error(
        text in "\\PC{0,40}|[a-z()|?*+{}0-9\\\\\\[\\]^$<>:#.-]{0,40}",
        name in "\\PC{0,40}",
    ) {
        match NamingConvention::new(&format!("regex:{text}")) {
            Ok(convention) => {
                let fault = convention.check(&name, &facts()).err();
                let proposal = fault.and_then(|fault| fault.proposal);
                prop_assert!(proposal.is_none_or(|proposal| convention.matches(&proposal, &facts())));
            }
            Err(error) => prop_assert!(error.to_string().starts_with("naming convention `regex:"), "{error}"),
        }
    }
}
