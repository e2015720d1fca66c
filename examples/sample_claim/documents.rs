//! The bytes of the sample documents: small, but what real programs open.

use claimwire::Result;
use claimwire::codec::compress_bytes;
use std::fmt::Write;

pub(crate) fn accident_report_pdf() -> Vec<u8> {
    pdf(&[
        "Collision report 26-04418",
        "Date of loss: 2026-02-19, 17:40, Bank Street at Heron Road",
        "Vehicle 1 stopped at a red light, struck from behind by vehicle 2.",
        "Driver of vehicle 1 reports pain in the left knee.",
    ])
}

/// The examiner's report that goes back to the insurer.
pub(crate) fn medical_report() -> Vec<u8> {
    pdf(&[
        "Independent medical examination: left knee",
        "Examined 2026-03-12 by Dr. L. Brandt, orthopaedic surgeon",
        "Findings: sprain of the medial collateral ligament, no effusion.",
        "Prognosis: full recovery expected within twelve weeks.",
    ])
}

/// One page of text lines as a PDF 1.4 file (ISO 32000-1 sections 7.5 and 9).
fn pdf(lines: &[&str]) -> Vec<u8> {
    let mut text = String::from("BT /F1 12 Tf 60 760 Td 18 TL\n");
    for line in lines {
        let escaped = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        let _ = writeln!(text, "({escaped}) Tj T*");
    }
    text.push_str("ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let table = file.len();
    let _ = write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(file, "{offset:010} 00000 n ");
    }
    let _ =
        write!(file, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}

/// A letter as an Office Open XML file (ECMA-376 part 2: a zip of these three parts is the least there must be).
pub(crate) fn referral_letter_docx() -> Result<Vec<u8>> {
    const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    let types = format!(
        r#"{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#
    );
    let relations = format!(
        r#"{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#
    );
    let paragraphs: String = [
        "Re: Sam Okafor, claim CLM-2026-0117",
        "Dear Dr. Brandt,",
        "Please examine Mr. Okafor's left knee and report on the injury, the treatment and the prognosis.",
        "Dana Whitfield, Northern Mutual Insurance",
    ]
    .iter()
    .map(|line| format!("<w:p><w:r><w:t>{line}</w:t></w:r></w:p>"))
    .collect();
    let document = format!(
        r#"{HEAD}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{paragraphs}</w:body></w:document>"#
    );
    compress_bytes([
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", relations.as_bytes()),
        ("word/document.xml", document.as_bytes()),
    ])
}

pub(crate) fn treatment_costs_csv() -> String {
    let mut csv = String::from("date,provider,service,amount,currency\n");
    for week in 1..=24 {
        let _ = writeln!(
            csv,
            "2026-02-{:02},Riverside Physiotherapy,knee mobilisation,{}.50,CAD",
            1 + week % 28,
            90 + week
        );
    }
    csv
}

pub(crate) fn clinic_notes_txt() -> String {
    "2026-02-19 Walk-in clinic. Left knee tender medially, swelling, no instability. Ice, rest, anti-inflammatories.\n\
     2026-02-26 Swelling down. Referred to physiotherapy, twice a week.\n"
        .repeat(12)
}
