//! Writes the sweep: a C program that calls every function of the header with all that a host may get wrong.

use super::makers::{self, GOOD_TEXTS};
use crate::surface::{Function, Place, Struct, Surface};
use std::fmt::Write as _;

/// What a parameter is for, as its type and its neighbours tell.
enum Role<'a> {
    Error,
    /// Where a handle is given out.
    Out(&'a str),
    /// Where a plain value is written.
    Plain,
    Handle(&'a str),
    Options(&'a Struct),
    Text,
    Bytes,
    /// A pointer whose NULL stands for none: an array, or bytes of a fixed length.
    Optional,
    Length,
    Capacity,
    Number,
    Callback,
    Drop,
    Data,
}

fn roles<'a>(surface: &'a Surface, function: &'a Function) -> Vec<Role<'a>> {
    let takes = &function.takes;
    let counted = |at: usize| takes.get(at + 1).is_some_and(|next| next.of == "size_t");
    let follows = |at: usize, of: &[&str]| at > 0 && of.contains(&takes[at - 1].of.as_str());
    let role = |(at, place): (usize, &'a Place)| match place.of.as_str() {
        "cw_error **" => Role::Error,
        "void *" => Role::Data,
        "cw_drop_fn" => Role::Drop,
        "const char *" if counted(at) => Role::Text,
        "const uint8_t *" if counted(at) => Role::Bytes,
        "size_t" if follows(at, &["const char *", "const uint8_t *"]) => Role::Length,
        "size_t" if follows(at, &["uint8_t *"]) => Role::Capacity,
        of => {
            if let Some(out) = place.given_out() {
                return Role::Out(out);
            }
            match place.target() {
                Some(target) if surface.is_opaque(target) => Role::Handle(target),
                Some(target) => match surface.record(target).filter(|record| is_sized(record)) {
                    Some(record) => Role::Options(record),
                    None if place.is_const() => Role::Optional,
                    None => Role::Plain,
                },
                None if surface.callback(of).is_some() => Role::Callback,
                None => Role::Number,
            }
        }
    };
    takes.iter().enumerate().map(role).collect()
}

fn is_sized(record: &Struct) -> bool {
    record.members[0].name == "struct_size"
}

/// Handles without a `_free` live only in functions of the host's.
pub(crate) fn is_lent(surface: &Surface, handle: &str) -> bool {
    surface.function(&format!("{handle}_free")).is_none()
}

/// Whether a function gives this handle to the host, who then ends it.
pub(crate) fn is_made(surface: &Surface, handle: &str) -> bool {
    let out = format!("{handle} **");
    surface.functions.iter().any(|function| function.takes.iter().any(|place| place.of == out))
}

/// The whole program.
pub(crate) fn program(surface: &Surface) -> String {
    let mut text = String::from("#include \"sweep.h\"\n\n");
    let lent: Vec<&str> =
        surface.opaque.iter().map(String::as_str).filter(|handle| is_lent(surface, handle)).collect();
    for handle in &lent {
        writeln!(text, "static {handle} *lent_{handle};").unwrap();
    }
    text.push_str("static void sweep_lent(void);\n\n");
    for callback in surface.callbacks.iter().filter(|callback| callback.name != "cw_drop_fn") {
        text.push_str(&failing(&lent, callback));
    }
    for record in surface.structs.iter().filter(|record| is_sized(record)) {
        text.push_str(&options(surface, record));
    }
    text.push_str(&makers::all(surface));
    for function in &surface.functions {
        text.push_str(&attempt(surface, function));
    }
    let (mut live, mut lent_calls, mut nothing) = (String::new(), String::new(), String::new());
    for function in &surface.functions {
        let roles = roles(surface, function);
        nothing.push_str(&line(function, "nothing", takes_handle(&roles), "", &|at| zero(&roles, at)));
        nothing.push_str(&bare(function, &roles));
        let needs: Vec<&str> = roles.iter().filter_map(handle).filter(|of| lent.contains(of)).collect();
        if needs.is_empty() {
            if roles.iter().filter_map(handle).all(|handle| is_made(surface, handle)) {
                writeln!(live, "    sweep_{}();", function.name).unwrap();
                text.push_str(&sweep(surface, function));
            }
        } else if !function.name.ends_with("_free") {
            text.push_str(&sweep(surface, function));
            let there: Vec<String> = needs.iter().map(|handle| format!("lent_{handle} != NULL")).collect();
            writeln!(lent_calls, "    static int done_{};", function.name).unwrap();
            writeln!(lent_calls, "    if (!done_{0} && {1}) {{", function.name, there.join(" && ")).unwrap();
            writeln!(lent_calls, "        done_{0} = 1;\n        sweep_{0}();\n    }}", function.name)
                .unwrap();
        }
    }
    writeln!(text, "static void sweep_lent(void) {{\n{lent_calls}}}\n").unwrap();
    writeln!(text, "int main(int count, char **arguments) {{").unwrap();
    writeln!(text, "    FOLDER = count > 1 ? arguments[1] : \".\";").unwrap();
    writeln!(text, "{nothing}{live}    end_live();").unwrap();
    writeln!(text, "    printf(\"%d calls, %d faults\\n\", calls, faults);").unwrap();
    writeln!(text, "    return faults == 0 ? 0 : 1;\n}}").unwrap();
    text
}

fn handle<'a>(role: &Role<'a>) -> Option<&'a str> {
    if let Role::Handle(of) = role { Some(of) } else { None }
}

fn takes_handle(roles: &[Role<'_>]) -> bool {
    roles.iter().any(|role| handle(role).is_some())
}

fn is_inward(role: &Role<'_>) -> bool {
    !matches!(role, Role::Error | Role::Out(_) | Role::Plain)
}

/// A function of the host's that lets the sweep call with what it is lent, and then fails.
fn failing(lent: &[&str], callback: &Function) -> String {
    let takes: Vec<String> =
        callback.takes.iter().map(|place| format!("{} {}", place.of, place.name)).collect();
    let mut text = format!("static {} fails_{}({}) {{\n", callback.gives, callback.name, takes.join(", "));
    let mut after = String::new();
    for place in &callback.takes {
        match place.target().filter(|target| lent.contains(target)) {
            Some(target) => {
                writeln!(text, "    lent_{target} = ({target} *){};", place.name).unwrap();
                writeln!(after, "    lent_{target} = NULL;").unwrap();
            }
            None => writeln!(text, "    (void){};", place.name).unwrap(),
        }
    }
    writeln!(text, "    sweep_lent();\n{after}").unwrap();
    if callback.gives != "void" {
        text.push_str("    return CW_ERR_UNREACHABLE;\n");
    }
    text + "}\n\n"
}

/// A good struct of options, and one of any size with bytes that no version knows behind its end.
fn options(surface: &Surface, record: &Struct) -> String {
    let name = &record.name;
    let mut text = format!("static {name} *good_{name}(void) {{\n    static {name} options;\n");
    writeln!(text, "    memset(&options, 0, sizeof options);\n    options.struct_size = sizeof options;")
        .unwrap();
    for member in record.members.iter().filter(|member| surface.callback(&member.of).is_some()) {
        writeln!(text, "    options.{} = fails_{};", member.name, member.of).unwrap();
    }
    text.push_str("    return &options;\n}\n\n");
    writeln!(text, "static {name} *sized_{name}(size_t size, int tail) {{").unwrap();
    writeln!(text, "    static union {{ {name} options; unsigned char bytes[sizeof({name}) + 64]; }} space;")
        .unwrap();
    writeln!(text, "    memset(&space, 0, sizeof space);").unwrap();
    writeln!(text, "    memset(space.bytes + sizeof({name}), tail, 64);").unwrap();
    writeln!(text, "    memcpy(space.bytes, good_{name}(), sizeof({name}));").unwrap();
    writeln!(text, "    space.options.struct_size = size;\n    return &space.options;\n}}\n").unwrap();
    for at in texts_of(record) {
        let (member, length) = (&record.members[at].name, &record.members[at + 1].name);
        writeln!(text, "static {name} *bad_{name}_{member}(void) {{\n    {name} *options = good_{name}();")
            .unwrap();
        writeln!(text, "    options->{member} = BAD_TEXT;\n    options->{length} = sizeof BAD_TEXT;")
            .unwrap();
        text.push_str("    return options;\n}\n\n");
    }
    text
}

fn texts_of(record: &Struct) -> impl Iterator<Item = usize> + '_ {
    let members = &record.members;
    (0..members.len().saturating_sub(1))
        .filter(|at| members[*at].of == "const char *" && members[at + 1].of == "size_t")
}

/// A function that makes one call with what it is given and checks what comes of it.
fn attempt(surface: &Surface, function: &Function) -> String {
    let (roles, name) = (roles(surface, function), &function.name);
    let inward = |(place, _): (&Place, &Role<'_>)| format!(", {} {}", place.of, place.name);
    let pairs = || function.takes.iter().zip(&roles);
    let inwards: String = pairs().filter(|(_, role)| is_inward(role)).map(inward).collect();
    let mut text = format!(
        "static void try_{name}(const char *situation, int refused, const char *bad{inwards}) {{\n    ended = 0;\n"
    );
    let arguments: Vec<String> = pairs()
        .map(|(place, role)| match role {
            Role::Error | Role::Out(_) => format!("&given_{}", place.name),
            Role::Plain => format!("({})given_{}.bytes", place.of, place.name),
            _ => place.name.clone(),
        })
        .collect();
    for (place, role) in pairs() {
        match role {
            Role::Error => writeln!(text, "    cw_error *given_{} = (cw_error *)(void *)&STALE;", place.name),
            Role::Out(of) => writeln!(text, "    {of} *given_{} = ({of} *)(void *)&STALE;", place.name),
            Role::Plain => {
                writeln!(
                    text,
                    "    union {{ uint64_t whole; unsigned char bytes[256]; }} given_{};",
                    place.name
                )
            }
            _ => Ok(()),
        }
        .unwrap();
    }
    let call = format!("{name}({})", arguments.join(", "));
    if !function.fails() {
        return text + &check_getter(function, &roles, &call);
    }
    let error = &function.takes.last().unwrap().name;
    writeln!(text, "    int32_t came = {call};").unwrap();
    writeln!(text, "    if (bad != NULL && came != CW_OK && !names_bad_text(given_{error}, bad)) {{")
        .unwrap();
    writeln!(text, "        blame(\"{name}\", situation, \"the text was not looked at\");\n    }}").unwrap();
    writeln!(text, "    check_error(\"{name}\", situation, came, given_{error});").unwrap();
    writeln!(text, "    if (refused) {{\n        check_refused(\"{name}\", situation, came);\n    }}")
        .unwrap();
    for (place, role) in pairs() {
        if let Role::Out(of) = role {
            writeln!(text, "    if (came != CW_OK && given_{0} != NULL) {{\n        blame(\"{name}\", situation, \"left something in {0}\");", place.name).unwrap();
            writeln!(text, "    }} else {{\n        {of}_free(given_{});\n    }}", place.name).unwrap();
        }
    }
    text.push_str(&end_unshared(surface, function, &roles));
    if let Some((place, _)) = pairs().find(|(_, role)| matches!(role, Role::Drop)) {
        // What is kept by nothing that was ended above is kept for the process or by who lent the handle.
        let kept = !roles.iter().any(|role| matches!(role, Role::Out(_)))
            && !pairs().any(|(place, role)| is_ended(surface, function, place, role));
        let when = if kept { " && came != CW_OK" } else { "" };
        writeln!(text, "    if ({} != NULL && ended != 1{when}) {{", place.name).unwrap();
        writeln!(text, "        blame(\"{name}\", situation, \"did not end the data once\");\n    }}")
            .unwrap();
    }
    text + "}\n\n"
}

fn check_getter(function: &Function, roles: &[Role<'_>], call: &str) -> String {
    let name = &function.name;
    let mut text = String::from("    (void)bad;\n    calls += 1;\n");
    match function.gives.as_str() {
        "void" => writeln!(text, "    (void)situation;\n    (void)refused;\n    {call};").unwrap(),
        "const char *" => {
            writeln!(text, "    const char *given = {call};").unwrap();
            // A text is read to its end, so that a sanitizer sees one that has none.
            text.push_str("    (void)situation;\n    (void)refused;\n");
            text.push_str("    if (given != NULL) {\n        read_bytes += strlen(given);\n    }\n");
        }
        gives if gives.ends_with('*') => {
            writeln!(text, "    (void)situation;\n    (void)refused;\n    (void){call};").unwrap();
        }
        _ => {
            writeln!(text, "    if ({call} != 0 && refused) {{").unwrap();
            writeln!(text, "        blame(\"{name}\", situation, \"is not 0\");\n    }}").unwrap();
        }
    }
    for (place, role) in function.takes.iter().zip(roles) {
        if let Role::Handle(of) = role
            && !place.is_const()
            && !name.ends_with("_free")
        {
            writeln!(text, "    {of}_free({});", place.name).unwrap();
        }
    }
    text + "}\n\n"
}

/// Whether a handle was made for one call alone and is ended after it.
fn is_ended(surface: &Surface, function: &Function, place: &Place, role: &Role<'_>) -> bool {
    let says = |words: String| function.comment.contains(&words);
    let name = &place.name;
    let consumed = says(format!("`{name}` is consumed"))
        || says(format!("`{name}` are consumed"))
        || says(format!("onsumes the {name}"));
    matches!(role, Role::Handle(of) if !place.is_const() && !is_lent(surface, of)) && !consumed
}

fn end_unshared(surface: &Surface, function: &Function, roles: &[Role<'_>]) -> String {
    let mut text = String::new();
    for (place, role) in function.takes.iter().zip(roles) {
        if let (Role::Handle(of), true) = (role, is_ended(surface, function, place, role)) {
            writeln!(text, "    {of}_free({});", place.name).unwrap();
        }
    }
    text
}

/// One call: the arguments are what `value` gives for each place.
fn line(
    function: &Function,
    situation: &str,
    refused: bool,
    bad: &str,
    value: &dyn Fn(usize) -> Option<String>,
) -> String {
    let values: String =
        (0..function.takes.len()).filter_map(value).map(|value| format!(", {value}")).collect();
    let bad = if bad.is_empty() { "NULL".to_owned() } else { format!("\"{bad}\"") };
    format!("    try_{}(\"{situation}\", {}, {bad}{values});\n", function.name, i32::from(refused))
}

fn zero(roles: &[Role<'_>], at: usize) -> Option<String> {
    match roles[at] {
        Role::Error | Role::Out(_) | Role::Plain => None,
        Role::Length | Role::Capacity | Role::Number => Some("0".into()),
        _ => Some("NULL".into()),
    }
}

/// A call that gives nothing, and takes nothing back either.
fn bare(function: &Function, roles: &[Role<'_>]) -> String {
    let values: Vec<String> =
        (0..roles.len()).map(|at| zero(roles, at).unwrap_or_else(|| "NULL".into())).collect();
    let call = format!("{}({})", function.name, values.join(", "));
    let gives = roles.iter().any(|role| matches!(role, Role::Out(_) | Role::Handle(_)));
    if function.fails() && gives {
        format!("    check_refused(\"{}\", \"nothing, and no places\", {call});\n", function.name)
    } else {
        format!("    (void){call};\n")
    }
}

/// What a host passes that does all as the header says.
fn good(surface: &Surface, function: &Function, roles: &[Role<'_>], at: usize) -> Option<String> {
    let place = &function.takes[at];
    let text = || GOOD_TEXTS.iter().find(|(name, _)| *name == place.name).map_or("x", |(_, text)| text);
    Some(match &roles[at] {
        Role::Error | Role::Out(_) | Role::Plain => return None,
        Role::Handle(of) if is_lent(surface, of) => format!("lent_{of}"),
        Role::Handle(of) if place.is_const() => format!("live_{of}()"),
        Role::Handle(of) => format!("make_{of}()"),
        Role::Options(record) => format!("good_{}()", record.name),
        Role::Text => format!("CW_STR(\"{}\")", text()),
        Role::Bytes => "(const uint8_t *)\"x\", 1".into(),
        Role::Length => return None,
        Role::Capacity => "64".into(),
        Role::Number => makers::good_number(&place.name).into(),
        Role::Callback => format!("fails_{}", place.of),
        Role::Drop => "count_end".into(),
        Role::Optional | Role::Data => "NULL".into(),
    })
}

/// Every mistake in one place, with all else as it should be.
fn sweep(surface: &Surface, function: &Function) -> String {
    let roles = roles(surface, function);
    let mut text = format!("static void sweep_{}(void) {{\n", function.name);
    let mut with = |situation: &str, refused: bool, bad: &str, at: usize, value: &str| {
        let situation = match function.takes.get(at) {
            Some(place) => format!("{} {situation}", place.name),
            None => situation.to_owned(),
        };
        text.push_str(&line(function, &situation, refused, bad, &|place| {
            if place == at { Some(value.to_owned()) } else { good(surface, function, &roles, place) }
        }));
    };
    with("all as it should be", false, "", usize::MAX, "");
    if function.name.ends_with("_free") {
        return text + "}\n\n";
    }
    for (at, role) in roles.iter().enumerate() {
        let place = &function.takes[at];
        match role {
            Role::Handle(_) => with("NULL", true, "", at, "NULL"),
            Role::Text => {
                with("empty", false, "", at, "\"\", 0");
                with("NULL with a length", false, "", at, "NULL, 4");
                let answered = makers::FROM_STRANGERS.contains(&function.name.as_str());
                let later = makers::LOOKED_AT_LATER.contains(&(function.name.as_str(), place.name.as_str()));
                let bad = if answered || later { "" } else { &place.name };
                with("not UTF-8", !answered, bad, at, "BAD_TEXT, sizeof BAD_TEXT");
                with("of an impossible length", true, "", at, "\"x\", SIZE_MAX");
            }
            Role::Bytes => {
                with("none", false, "", at, "NULL, 0");
                with("NULL with a length", true, "", at, "NULL, 4");
                with("of an impossible length", true, "", at, "(const uint8_t *)\"x\", SIZE_MAX");
            }
            Role::Options(record) => {
                let name = &record.name;
                for size in ["0", "4", "1 << 20", "SIZE_MAX"] {
                    with("of a wrong size", true, "", at, &format!("sized_{name}({size}, 0)"));
                }
                with("of a later version", false, "", at, &format!("sized_{name}(sizeof({name}) + 64, 0)"));
                with("with unknown members", true, "", at, &format!("sized_{name}(sizeof({name}) + 64, 1)"));
                for member in texts_of(record) {
                    let member = &record.members[member].name;
                    with("with a text not UTF-8", true, "", at, &format!("bad_{name}_{member}()"));
                }
                with("NULL", false, "", at, "NULL");
            }
            Role::Number => {
                let numbers: &[&str] = match place.of.as_str() {
                    "int32_t" => &["INT32_MIN", "-1", "9999", "INT32_MAX"],
                    "uint32_t" => &["UINT32_MAX"],
                    _ => &["(size_t)-1"],
                };
                for number in numbers {
                    with("of no meaning", false, "", at, number);
                }
            }
            Role::Callback | Role::Drop => with("NULL", false, "", at, "NULL"),
            _ => {}
        }
    }
    text + "}\n\n"
}
