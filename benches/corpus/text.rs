//! Documents that compress: reports in prose, and bills as lines of figures.

use std::io::Write;

use super::Random;
use super::words::{
    ADVERBS_DE, ADVERBS_EN, BODY_DE, BODY_EN, FAMILY_NAMES, GIVEN_NAMES, OFFICES, PARTS_DE, PARTS_EN, PLACES,
    SENTENCES_DE, SENTENCES_EN, STATES_DE, STATES_EN, STREETS,
};

/// One section of a report: a heading and a few paragraphs in one language.
pub fn report(number: u64, random: &mut Random, output: &mut Vec<u8>) {
    let is_german = random.below(2) == 0;
    let (heading, sentences) =
        if is_german { ("Abschnitt", SENTENCES_DE) } else { ("Section", SENTENCES_EN) };
    put(output, format_args!("{heading} {}\n\n", number + 1));
    for _ in 0..2 + random.below(5) {
        for _ in 0..3 + random.below(6) {
            sentence(random.of(sentences), is_german, random, output);
            output.push(b' ');
        }
        output.pop();
        output.extend(b"\n\n");
    }
}

/// Lines of a bill: position, date, code, part, quantity, price, net, tax, gross.
pub fn bill(number: u64, random: &mut Random, output: &mut Vec<u8>) {
    if number == 0 {
        output.extend("Pos;Datum;Code;Bezeichnung;Menge;Einzelpreis;Netto;USt;Brutto;Bearbeiter\r\n".bytes());
    }
    for line in 0..64 {
        let (quantity, price) = (1 + random.below(8), 50 + random.below(90_000));
        let net = quantity * price;
        let tax = net * 19 / 100;
        put(output, format_args!("{};", 64 * number + line + 1));
        slot("date", true, random, output);
        output.push(b';');
        slot("code", true, random, output);
        let part = if random.below(2) == 0 { random.of(PARTS_DE) } else { random.of(PARTS_EN) };
        put(output, format_args!(";{part}, {};{quantity};", random.of(STATES_DE)));
        for cents in [price, net, tax, net + tax] {
            put(output, format_args!("{},{:02};", cents / 100, cents % 100));
        }
        put(output, format_args!("{}\r\n", random.of(FAMILY_NAMES)));
    }
}

/// The sentence `template` with its slots filled.
fn sentence(template: &str, is_german: bool, random: &mut Random, output: &mut Vec<u8>) {
    for (index, piece) in template.split(['{', '}']).enumerate() {
        // Splitting at braces makes every second piece a slot.
        if index % 2 == 0 {
            output.extend(piece.bytes());
        } else {
            slot(piece, is_german, random, output);
        }
    }
}

fn slot(name: &str, is_german: bool, random: &mut Random, output: &mut Vec<u8>) {
    let (parts, states, body, adverbs) = if is_german {
        (PARTS_DE, STATES_DE, BODY_DE, ADVERBS_DE)
    } else {
        (PARTS_EN, STATES_EN, BODY_EN, ADVERBS_EN)
    };
    match name {
        "person" => put(output, format_args!("{} {}", random.of(GIVEN_NAMES), random.of(FAMILY_NAMES))),
        "place" => put(output, format_args!("{}", random.of(PLACES))),
        "street" => put(output, format_args!("{}", random.of(STREETS))),
        "office" => put(output, format_args!("{}", random.of(OFFICES))),
        "part" => put(output, format_args!("{}", random.of(parts))),
        "state" => put(output, format_args!("{}", random.of(states))),
        "body" => put(output, format_args!("{}", random.of(body))),
        "adv" => put(output, format_args!("{}", random.of(adverbs))),
        "date" => {
            let (day, month, year) = (1 + random.below(28), 1 + random.below(12), 2019 + random.below(8));
            if is_german {
                put(output, format_args!("{day:02}.{month:02}.{year}"));
            } else {
                put(output, format_args!("{year}-{month:02}-{day:02}"));
            }
        }
        "time" => put(output, format_args!("{:02}:{:02}", 6 + random.below(16), random.below(60))),
        "amount" => {
            let (whole, cents) = (10 + random.below(40_000), random.below(100));
            if is_german {
                put(output, format_args!("{whole},{cents:02} EUR"));
            } else {
                put(output, format_args!("CAD {whole}.{cents:02}"));
            }
        }
        "measure" => put(output, format_args!("{}.{} mm", random.below(40), random.below(100))),
        "phone" => put(output, format_args!("0{} {}", 200 + random.below(9_000), random.below(10_000_000))),
        "code" => put(output, format_args!("{:06X}-{}", random.below(1 << 24), random.below(1_000_000))),
        _ => put(output, format_args!("{}", 1 + random.below(200))),
    }
}

fn put(output: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // A vector takes all that is written.
    let _ = output.write_fmt(text);
}
