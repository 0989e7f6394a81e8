//! From words to fields.

use crate::shell::expand::{self, Context, Error};
use crate::shell::glob::Folders;
use crate::shell::parser::parse;
use crate::shell::tree::*;
use crate::shell::variables::{ReadOnly, Variables};

#[derive(Default)]
struct World {
    variables: Variables,
    positional: Vec<Vec<u8>>,
    strict: bool,
}

impl Folders for World {
    fn names(&mut self, folder: &[u8]) -> Vec<Vec<u8>> {
        let names: &[&str] = match folder {
            b"." => &[".", "..", "b.c", "a.c", ".hidden", "dir", "x*y"],
            b"dir/" | b"./dir/" => &["one", "two", "a.c"],
            _ => &[],
        };
        names.iter().map(|name| name.as_bytes().to_vec()).collect()
    }

    fn exists(&mut self, path: &[u8]) -> bool {
        let at = path.iter().rposition(|byte| *byte == b'/');
        let (folder, name) = path.split_at(at.map_or(0, |at| at + 1));
        let folder: &[u8] = if folder.is_empty() { b"." } else { folder };
        name.is_empty() || self.names(folder).iter().any(|other| other == name)
    }
}

impl Context for World {
    fn value(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        match name {
            b"#" => Some(self.positional.len().to_string().into()),
            b"?" => Some(b"7".into()),
            [digit @ b'1'..=b'9'] => self.positional.get(usize::from(digit - b'1')).cloned(),
            _ => self.variables.get(name).map(<[u8]>::to_vec),
        }
    }

    fn assign(&mut self, name: &[u8], value: &[u8]) -> Result<(), ReadOnly> {
        self.variables.set(name, value)
    }

    fn positional(&self) -> &[Vec<u8>] {
        &self.positional
    }

    /// What a command "prints" is its text.
    fn output_of(&mut self, list: &List) -> Vec<u8> {
        let mut text = list[0].text.clone();
        text.extend_from_slice(b"\n\n");
        text
    }

    fn unset_is_error(&self) -> bool {
        self.strict
    }

    fn patterns_off(&self) -> bool {
        false
    }
}

fn world() -> World {
    let mut world = World::default();
    for (name, value) in [
        ("x", "a b"),
        ("e", ""),
        ("s", "*"),
        ("p", "/usr/lib/x.tar.gz"),
        ("HOME", "/ho me"),
        ("n", "5"),
        ("b", "a\\*"),
    ] {
        world
            .variables
            .set(name.as_bytes(), value.as_bytes())
            .unwrap();
    }
    world.positional = ["one", "two words", ""]
        .map(|word| word.as_bytes().to_vec())
        .into();
    world
}

fn fields_in(world: &mut World, text: &str) -> Result<Vec<String>, Error> {
    let list = parse(format!("echo {text}").as_bytes()).unwrap();
    let What::Simple { words, .. } = &list[0].first.commands[0].what else {
        panic!()
    };
    let fields = expand::fields(&words[1..], world)?;
    Ok(fields
        .into_iter()
        .map(|field| String::from_utf8(field).unwrap())
        .collect())
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(fields_in(&mut world(), text).unwrap(), expected, "{text}");
}

#[test]
fn parameters() {
    check("$x", &["a", "b"]);
    check("\"$x\"", &["a b"]);
    check("p$x.s", &["pa", "b.s"]);
    check("$e", &[]);
    check("\"$e\" ''", &["", ""]);
    check("$e\"\"", &[""]);
    check("$unset x", &["x"]);
    check("$# $?", &["3", "7"]);
    check("${#x} ${#unset} ${#@}", &["3", "0", "3"]);
    check("'$x' \\$x", &["$x", "$x"]);
}

#[test]
fn all_parameters() {
    check("$@", &["one", "two", "words"]);
    check("$*", &["one", "two", "words"]);
    check("\"$@\"", &["one", "two words", ""]);
    check("\"a$@b\"", &["aone", "two words", "b"]);
    check("\"$*\"", &["one two words "]);
    let mut world = world();
    world.positional.clear();
    assert_eq!(
        fields_in(&mut world, "\"$@\" $@ $*").unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(fields_in(&mut world, "\"$*\" ''\"$@\"").unwrap(), ["", ""]);
    world.positional = vec![b"a".into(), b"b".into()];
    world.variables.set(b"IFS", b":").unwrap();
    assert_eq!(fields_in(&mut world, "\"$*\"").unwrap(), ["a:b"]);
}

#[test]
fn alternatives() {
    check("${unset-d} ${unset:-d} ${e-d} ${e:-d}", &["d", "d", "d"]);
    check("${x+r} ${e+r} ${e:+r} ${unset+r}", &["r", "r"]);
    check("${unset:-a b} \"${unset:-a b}\"", &["a", "b", "a b"]);
    check(
        "${unset:-\"a b\"} ${unset:-$x} ${unset:-${e:-z}}",
        &["a b", "a", "b", "z"],
    );
    check("\"${e+}\" \"${unset+x}\"", &["", ""]);
    check("\"${unset:-\"a b\"}\"", &["a b"]);
    check("${new:=v w} $new", &["v", "w", "v", "w"]);
    let error = fields_in(&mut world(), "${unset?gone}").unwrap_err();
    assert_eq!(error.to_string(), "unset: gone");
    assert!(fields_in(&mut world(), "${1:=x} ${9:=x}").is_err());
    let mut world = world();
    world.strict = true;
    assert!(fields_in(&mut world, "$unset").is_err());
    assert_eq!(fields_in(&mut world, "${unset-x}").unwrap(), ["x"]);
}

#[test]
fn trims() {
    check(
        "${p##*/} ${p%/*} ${p%.*} ${p%%.*}",
        &["x.tar.gz", "/usr/lib", "/usr/lib/x.tar", "/usr/lib/x"],
    );
    check(
        "${p#*/} ${x#b} \"${x%\" b\"}\"",
        &["usr/lib/x.tar.gz", "a", "b", "a"],
    );
    check(
        "\"${s#'*'}\" \"${s#\\*}\" \"${p#'*'}\"",
        &["", "", "/usr/lib/x.tar.gz"],
    );
}

#[test]
fn splitting() {
    let split = |separators: &str, value: &str| {
        let mut world = world();
        world.variables.set(b"IFS", separators.as_bytes()).unwrap();
        world.variables.set(b"v", value.as_bytes()).unwrap();
        fields_in(&mut world, "$v").unwrap()
    };
    assert_eq!(split(":", "a::b:"), ["a", "", "b"]);
    assert_eq!(split(": ", " a : b  c :: d"), ["a", "b", "c", "", "d"]);
    assert_eq!(split(":", ":a"), ["", "a"]);
    assert_eq!(split("", "a b"), ["a b"]);
    assert_eq!(split(" ", "  "), Vec::<String>::new());
}

#[test]
fn patterns() {
    check("*.c", &["a.c", "b.c"]);
    check("'*.c' \\*.c \"*\".c", &["*.c", "*.c", "*.c"]);
    check("*", &["a.c", "b.c", "dir", "x*y"]);
    check(".h*", &[".hidden"]);
    check(
        "*/*.c dir/[!a]* ./dir/o*",
        &["dir/a.c", "dir/one", "dir/two", "./dir/one"],
    );
    check("*.none ?", &["*.none", "?"]);
    check("x\\*y x'*'y", &["x*y", "x*y"]);
    check("$s \"$s\"", &["a.c", "b.c", "dir", "x*y", "*"]);
    check("$b \"$b\"", &["a\\*", "a\\*"]);
    check("[ab].c []x]*", &["a.c", "b.c", "x*y"]);
}

#[test]
fn the_rest() {
    check("$(out put) \"$(out put)\"", &["out", "put", "out put"]);
    check("$((n * 2)) $(( $n + 1 ))x", &["10", "6x"]);
    check("~ ~/f '~' a~", &["/ho me", "/ho me/f", "~", "a~"]);
    let mut world = world();
    fields_in(&mut world, "$((k = 3)) ${m:=4}").unwrap();
    assert_eq!(fields_in(&mut world, "$k$m").unwrap(), ["34"]);
    assert!(fields_in(&mut world, "$((1/0))").is_err());
}
