//! From text to tree.

use super::Noise;
use crate::shell::tree::*;
use crate::shell::{SyntaxError, parse};

fn word(text: &str) -> Word {
    Word(vec![Piece::Text(text.into())])
}

fn tree(text: &str) -> List {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The only command of a text.
fn command(text: &str) -> Command {
    let list = tree(text);
    assert_eq!(list.len(), 1, "{text}");
    list[0].first.commands[0].clone()
}

/// The words of a command, without quotes.
fn words(text: &str) -> Vec<String> {
    let What::Simple { words, .. } = command(text).what else {
        panic!("{text}: not simple")
    };
    let text = |word: &Word| String::from_utf8(word.literal()).unwrap();
    words.iter().map(text).collect()
}

#[test]
fn lists_and_pipes() {
    assert_eq!(tree(""), vec![]);
    assert_eq!(tree("\n # nothing\n"), vec![]);
    let list = tree("a|b | c; d");
    assert_eq!(list.len(), 2);
    assert_eq!(list[0].first.commands.len(), 3);
    assert_eq!(list[0].text, b"a|b | c");
    let list = tree("a & b &");
    assert!(list.len() == 2 && list[0].background && list[1].background);
    assert!(tree("! a")[0].first.negated && !tree("! ! a")[0].first.negated);
}

#[test]
fn conditions() {
    let list = tree("a && b || c &\nd");
    assert_eq!(list.len(), 2);
    assert!(list[0].background && !list[1].background);
    let conditions: Vec<_> = list[0]
        .rest
        .iter()
        .map(|(condition, _)| *condition)
        .collect();
    assert_eq!(conditions, [Condition::Success, Condition::Failure]);
    assert_eq!(tree("a &&\n b")[0].rest, tree("a && b")[0].rest);
}

#[test]
fn quotes() {
    assert_eq!(
        words(r#"a 'b  c' "d  e" f\ g"#),
        ["a", "b  c", "d  e", "f g"]
    );
    assert_eq!(words(r#"x"y"'z'\w '' "" "#), ["xyzw", "", ""]);
    assert_eq!(words(r#""a\"b\\c\d" 'a\b'"#), [r#"a"b\c\d"#, r"a\b"]);
    assert_eq!(words("'a\nb' \"c\nd\" e\\\nf"), ["a\nb", "c\nd", "ef"]);
    assert_eq!(words("a#b #c"), ["a#b"]);
    assert_eq!(words("'|' \";\" \\& '('"), ["|", ";", "&", "("]);
    assert_eq!(words("a $ b$"), ["a", "$", "b$"]);
}

#[test]
fn redirections() {
    let command = command("<in cat 2> err >>out 2 > two 2>&1 3<&- >|x 4<>y");
    let What::Simple { words, .. } = &command.what else {
        panic!()
    };
    assert_eq!(*words, [word("cat"), word("2")]);
    let found: Vec<_> = command
        .redirects
        .iter()
        .map(|r| (r.fd, r.operator, r.target.clone()))
        .collect();
    let expected = [
        (0, Operator::Read, "in"),
        (2, Operator::Write, "err"),
        (1, Operator::Append, "out"),
        (1, Operator::Write, "two"),
        (2, Operator::Duplicate, "1"),
        (3, Operator::Duplicate, "-"),
        (1, Operator::Write, "x"),
        (4, Operator::ReadWrite, "y"),
    ];
    let expected = expected.map(|(fd, operator, text)| (fd, operator, Target::Word(word(text))));
    assert_eq!(found, expected);
    assert_eq!(super::grammar::words("a2>f"), ["a2"]);
}

#[test]
fn documents() {
    let document = |text: &str, index: usize| {
        let redirects = command(text).redirects;
        let Target::Document(place) = &redirects[index].target else {
            panic!()
        };
        place.get().expect("filled").clone()
    };
    assert_eq!(document("cat <<E\na\nb\nE\n", 0).literal(), b"a\nb\n");
    assert_eq!(document("cat <<E\nE", 0).literal(), b"");
    assert_eq!(document("cat <<-E\n\t\ta\n\tE\n", 0).literal(), b"a\n");
    assert_eq!(
        document("cat <<A 3<<'B'\na\nA\n$b\nB\n", 1).literal(),
        b"$b\n"
    );
    assert_eq!(
        document("cat <<A 3<<'B'\na\nA\n$b\nB\n", 0).literal(),
        b"a\n"
    );
    let expands = |word: Word| {
        let expanded = |piece: &Piece| matches!(piece, Piece::Parameter { .. });
        word.0.iter().any(expanded)
    };
    assert!(expands(document("cat <<E\n$x\nE\n", 0)));
    assert!(!expands(document("cat <<E\n\\$x\nE\n", 0)));
    assert!(!expands(document("cat <<\\E\n$x\nE\n", 0)));
    // Commands go on after it, on the same line and below.
    assert_eq!(tree("cat <<E && b\na\nE\nc").len(), 2);
    assert_eq!(tree("cat <<E | (\na\nE\nb)\n").len(), 1);
    assert_eq!(words("echo $(cat <<E\n)\nE\n) x")[2], "x");
    for text in ["cat <<E", "cat <<E\n", "cat <<E\nEE\n"] {
        assert!(matches!(
            parse(text.as_bytes()),
            Err(SyntaxError::Incomplete(_))
        ));
    }
}

#[test]
fn compounds() {
    let What::If { arms, otherwise } = command("if a; then b; elif c\nthen d\nelse e; fi >f").what
    else {
        panic!()
    };
    assert!(arms.len() == 2 && otherwise.is_some());
    assert!(matches!(
        command("until a; do b; done").what,
        What::Loop { negated: true, .. }
    ));
    for text in ["for x in a b; do c; done", "for x\nin a b\ndo\nc\ndone"] {
        let What::For { name, words, .. } = command(text).what else {
            panic!()
        };
        assert!(name == b"x" && words.is_some_and(|words| words.len() == 2));
    }
    for text in ["for x; do c; done", "for x do c; done", "for x\ndo c; done"] {
        assert!(matches!(command(text).what, What::For { words: None, .. }));
    }
    let text = "case $x in (a|b) c;; *) d\n;;\n'e') esac";
    let What::Case { arms, .. } = command(text).what else {
        panic!()
    };
    assert_eq!(arms.len(), 3);
    assert_eq!(arms[0].patterns.len(), 2);
    assert!(arms[2].body.is_empty());
    let What::Function { name, body } = command("f() { a; } >x").what else {
        panic!()
    };
    assert!(name == b"f" && body.redirects.len() == 1);
    assert_eq!(tree("f ( )\n(a)\nf").len(), 2);
    // Those words mean something only where a command begins.
    assert_eq!(
        words("echo if then } { done"),
        ["echo", "if", "then", "}", "{", "done"]
    );
    assert_eq!(words("'if' x"), ["if", "x"]);
    let What::Subshell(lines) = command("(\na\n\nb\n)").what else {
        panic!()
    };
    assert_eq!(What::Subshell(lines), command("(a;b)").what);
    let What::Subshell(inner) = command("(a; (b | c)&) > f | d").what else {
        panic!()
    };
    assert!(inner.len() == 2 && inner[1].background);
}

#[test]
fn assignments() {
    let What::Simple { assignments, words } = command("a=1 b= c='x y' d e=2").what else {
        panic!()
    };
    let names: Vec<&[u8]> = assignments
        .iter()
        .map(|(name, _)| name.as_slice())
        .collect();
    assert_eq!(names, [b"a", b"b", b"c"]);
    assert!(assignments[1].1.0.is_empty());
    assert_eq!(words, [word("d"), word("e=2")]);
    assert_eq!(super::grammar::words("1a=b"), ["1a=b"]);
    assert_eq!(super::grammar::words("'a'=b"), ["a=b"]);
}

#[test]
fn substitutions() {
    let pieces = |text: &str| {
        let What::Simple { words, .. } = command(text).what else {
            panic!()
        };
        words[0].0.clone()
    };
    assert!(matches!(&pieces("$(a; b)")[..], [Piece::Command { list, .. }] if list.len() == 2));
    assert!(matches!(&pieces("`a; b`")[..], [Piece::Command { list, .. }] if list.len() == 2));
    assert!(matches!(
        &pieces("$((1+(2)))")[..],
        [Piece::Arithmetic { .. }]
    ));
    assert!(matches!(&pieces("$((a); b)")[..], [Piece::Command { .. }]));
    assert!(matches!(
        &pieces("$(case x in x) a;; esac)")[..],
        [Piece::Command { .. }]
    ));
    assert!(matches!(
        &pieces("\"$(echo \"a)\")\"")[..],
        [_, Piece::Command { quoted: true, .. }]
    ));
    for (text, expected) in [
        ("${x}", Operation::Value),
        ("${#x}", Operation::Length),
        ("${#}", Operation::Value),
    ] {
        let pieces = pieces(text);
        let [Piece::Parameter { parameter, .. }] = &pieces[..] else {
            panic!("{text}")
        };
        assert_eq!(parameter.operation, expected, "{text}");
    }
}

/// What the message names.
#[test]
fn first_mistake() {
    use SyntaxError::{NoTarget, Unexpected};
    let unexpected = |what: &str| Unexpected(what.into());
    for (text, error) in [
        ("|", unexpected("|")),
        ("a | | b", unexpected("|")),
        ("; a", unexpected(";")),
        ("a ;; b", unexpected(";;")),
        ("a & & b", unexpected("&")),
        (")", unexpected(")")),
        ("a )", unexpected(")")),
        ("()", unexpected(")")),
        ("a (b)", unexpected("b")),
        ("(a) b", unexpected("b")),
        ("a >", NoTarget(">")),
        ("a 2>> | b", NoTarget(">>")),
        ("a < ;", NoTarget("<")),
    ] {
        assert_eq!(parse(text.as_bytes()), Err(error), "{text}");
    }
}

#[test]
fn errors() {
    for text in [
        "fi",
        "then a",
        "if a; fi",
        "if ; then a; fi",
        "{ }",
        "while a; do done",
        "f() a",
        "for 1 in a; do b; done",
        "for x in a b do c; done x",
        "case x in a b) c;; esac",
        "'f'() { a; }",
        "${x",
        "${}",
        "${x:z}",
        "${x/y}",
        "`a",
        "`(`",
    ] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
    for text in [
        "'a",
        "\"a",
        "a |",
        "a |\n",
        "a &&",
        "(a",
        "(",
        "a \\",
        "a\\\n",
        "a \\\n",
        "if a",
        "if a; then b",
        "while a",
        "for x in",
        "for",
        "case x in",
        "case x in a)",
        "{ a;",
        "f()",
        "f() {",
        "${x-",
        "$(a",
        "$((1",
        "$((1)",
        "!",
    ] {
        let result = parse(text.as_bytes());
        assert!(
            matches!(result, Err(SyntaxError::Incomplete(_))),
            "{text}: {result:?}"
        );
    }
}

#[test]
fn nesting_is_bounded() {
    let text = format!("{}a{}", "(".repeat(60), ")".repeat(60));
    assert!(parse(text.as_bytes()).is_ok());
    for open in [
        "(", "$(", "{ ", "if ", "${x-", "while ", "$((", "f() ", "`\\`",
    ] {
        assert!(parse(open.repeat(20_000).as_bytes()).is_err(), "{open}");
    }
    assert_eq!(
        parse("(".repeat(100_000).as_bytes()),
        Err(SyntaxError::TooDeep)
    );
}

/// Any bytes at all give a tree or an error.
#[test]
fn noise() {
    let mut noise = Noise(1);
    for _ in 0..40_000 {
        let text = noise.text(12, b"ab2 |&;()<>'\"\\$?#\n\t\xff{}=`-*!");
        let _ = parse(&text);
    }
    let parts = [
        "if ",
        "then ",
        "fi ",
        "do ",
        "done ",
        "for x in ",
        "case ",
        " in ",
        "esac ",
        ";; ",
        "a ",
        ") ",
        "( ",
        "{ ",
        "} ",
        "; ",
        "\n",
        "while ",
        "$(",
        "<<E ",
        "E\n",
        "${x:-",
        "}",
    ];
    for _ in 0..40_000 {
        let text: String = (0..10).map(|_| parts[noise.below(parts.len())]).collect();
        let _ = parse(text.as_bytes());
    }
}
