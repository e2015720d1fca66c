//! What the C header offers, read from the header itself, so that no test has a list of its own.
//!
//! It reads what cbindgen writes and no more: constants, opaque types, structs, function types, functions.

#![cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "what reads the most of the header runs there")
)]

/// A value passed to or kept by something: `const char *` and `name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) of: String,
    pub(crate) name: String,
}

/// A function, or the type of a function of the host's.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) gives: String,
    pub(crate) takes: Vec<Place>,
    /// Its comment, on one line.
    pub(crate) comment: String,
}

/// A struct whose members hosts fill in.
#[derive(Clone, Debug)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) members: Vec<Place>,
}

/// All that the header declares, in its order.
#[derive(Debug, Default)]
pub(crate) struct Surface {
    /// Names and values of the macros without parameters.
    pub(crate) constants: Vec<(String, String)>,
    pub(crate) opaque: Vec<String>,
    pub(crate) structs: Vec<Struct>,
    pub(crate) callbacks: Vec<Function>,
    pub(crate) functions: Vec<Function>,
}

impl Surface {
    /// What the committed header declares.
    pub(crate) fn committed() -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("include/claimwire.h");
        Self::read(&std::fs::read_to_string(path).unwrap())
    }

    pub(crate) fn read(header: &str) -> Self {
        let mut surface = Self::default();
        let mut comment = String::new();
        for piece in pieces(header) {
            match piece {
                Piece::Comment(text) => comment = text,
                Piece::Macro(line) => surface.constant(&line),
                Piece::Declaration(text) => surface.declaration(&text, std::mem::take(&mut comment)),
            }
        }
        surface
    }

    pub(crate) fn is_opaque(&self, name: &str) -> bool {
        self.opaque.iter().any(|known| known == name)
    }

    pub(crate) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    pub(crate) fn callback(&self, name: &str) -> Option<&Function> {
        self.callbacks.iter().find(|callback| callback.name == name)
    }

    pub(crate) fn record(&self, name: &str) -> Option<&Struct> {
        self.structs.iter().find(|known| known.name == name)
    }

    fn constant(&mut self, line: &str) {
        let Some((name, value)) = line.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) else {
            return;
        };
        if name.starts_with("CW_") && !name.contains('(') {
            self.constants.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn declaration(&mut self, text: &str, comment: String) {
        if let Some(function) = text.strip_prefix("typedef ").filter(|text| text.contains("(*")) {
            let (gives, rest) = function.split_once("(*").unwrap();
            let (name, takes) = rest.split_once(")(").unwrap();
            let takes = places(takes.strip_suffix(')').unwrap(), ',');
            let gives = gives.trim().to_owned();
            self.callbacks.push(Function { name: name.to_owned(), gives, takes, comment });
        } else if let Some(record) = text.strip_prefix("typedef struct ") {
            match record.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')) {
                Some((members, name)) => {
                    let members = places(members, ';');
                    self.structs.push(Struct { name: name.trim().to_owned(), members });
                }
                None => self.opaque.push(record.split_whitespace().next().unwrap().to_owned()),
            }
        } else {
            let (head, takes) =
                text.split_once('(').unwrap_or_else(|| panic!("the header declares `{text}`, which is new"));
            let Place { of, name } = place(head);
            let takes = places(takes.strip_suffix(')').unwrap(), ',');
            self.functions.push(Function { name, gives: of, takes, comment });
        }
    }
}

impl Function {
    /// Whether it can fail: gives a code, and takes a place for the error.
    pub(crate) fn fails(&self) -> bool {
        self.gives == "int32_t" && self.takes.last().is_some_and(|last| last.of == "cw_error **")
    }

    /// What it gives and takes without the names, which no compiled host depends on.
    pub(crate) fn signature(&self) -> String {
        let takes: Vec<&str> = self.takes.iter().map(|place| place.of.as_str()).collect();
        format!("{} ({})", self.gives, if takes.is_empty() { "void".to_owned() } else { takes.join(", ") })
    }
}

impl Place {
    /// The type that a plain pointer leads to: `cw_buffer` for `const cw_buffer *`.
    pub(crate) fn target(&self) -> Option<&str> {
        let target = self.of.strip_suffix(" *")?;
        Some(target.strip_prefix("const ").unwrap_or(target))
    }

    /// The type of the handle that is given out here: `cw_buffer` for `cw_buffer **`.
    pub(crate) fn given_out(&self) -> Option<&str> {
        self.of.strip_suffix(" **").filter(|of| of.starts_with("cw_") && *of != "cw_error")
    }

    pub(crate) fn is_const(&self) -> bool {
        self.of.starts_with("const ")
    }
}

enum Piece {
    Comment(String),
    Macro(String),
    Declaration(String),
}

/// Cuts the header into comments, lines of the preprocessor, and declarations without what ends them.
fn pieces(header: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut rest, mut depth, mut declaration) = (header, 0usize, String::new());
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("/*") {
            let (comment, after) = rest.split_once("*/").unwrap();
            // The comments of members belong to their struct's declaration, which does not need them.
            if depth == 0 {
                let words = comment.split_whitespace().filter(|word| !word.starts_with(['/', '*']));
                pieces.push(Piece::Comment(words.collect::<Vec<_>>().join(" ")));
            }
            rest = after;
        } else if rest.starts_with("//") {
            rest = rest.split_once('\n').unwrap().1;
        } else if rest.starts_with("#ifdef __cplusplus") {
            rest = rest.split_once("#endif").unwrap().1;
        } else if first == '#' {
            let (line, after) = rest.split_once('\n').unwrap();
            pieces.push(Piece::Macro(line.to_owned()));
            rest = after;
        } else {
            match first {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if first == ';' && depth == 0 {
                let words = declaration.split_whitespace().collect::<Vec<_>>().join(" ");
                pieces.push(Piece::Declaration(words));
                declaration.clear();
            } else {
                declaration.push(first);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    pieces
}

fn places(text: &str, separator: char) -> Vec<Place> {
    let texts = text.split(separator).map(str::trim);
    texts.filter(|text| !text.is_empty() && *text != "void").map(place).collect()
}

/// Splits `const char *name` into its type and its name.
fn place(text: &str) -> Place {
    let text = text.trim().trim_start_matches("struct ");
    let begin = text.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    Place { of: text[..begin].trim().to_owned(), name: text[begin..].to_owned() }
}
