//! The shell's grammar, on the host.

use super::lexer::{Operator, Piece, Word};
use super::parser::*;

fn word(text: &str) -> Word {
    Word(vec![Piece::Text(text.into())])
}

fn simple(words: &str) -> Command {
    Command {
        what: What::Simple(words.split(' ').map(word).collect()),
        redirects: vec![],
    }
}

fn chain(first: Pipeline) -> Chain {
    Chain {
        first,
        rest: vec![],
        background: false,
    }
}

fn words(text: &str) -> Vec<String> {
    let list = parse(text.as_bytes()).unwrap();
    let What::Simple(words) = &list[0].first[0].what else {
        panic!("{list:?}")
    };
    words
        .iter()
        .map(|w| String::from_utf8(w.expand(7)).unwrap())
        .collect()
}

#[test]
fn lists_and_pipes() {
    assert_eq!(parse(b""), Ok(vec![]));
    assert_eq!(parse(b"\n # nothing\n"), Ok(vec![]));
    assert_eq!(parse(b"ls -l"), Ok(vec![chain(vec![simple("ls -l")])]));
    assert_eq!(
        parse(b"a|b | c; d"),
        Ok(vec![
            chain(vec![simple("a"), simple("b"), simple("c")]),
            chain(vec![simple("d")])
        ])
    );
    let list = parse(b"a & b &").unwrap();
    assert!(list.len() == 2 && list[0].background && list[1].background);
}

#[test]
fn conditions() {
    let list = parse(b"a && b || c &\nd").unwrap();
    assert_eq!(list.len(), 2);
    assert!(list[0].background && !list[1].background);
    assert_eq!(
        list[0].rest,
        [
            (Condition::Success, vec![simple("b")]),
            (Condition::Failure, vec![simple("c")])
        ]
    );
    assert_eq!(parse(b"a &&\n b"), parse(b"a && b"));
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
}

#[test]
fn status() {
    assert_eq!(
        words(r#"$? "a$?b" '$?' \$? $x $"#),
        ["7", "a7b", "$?", "$?", "$x", "$"]
    );
}

#[test]
fn redirections() {
    let list = parse(b"<in cat 2> err >>out 2 > two 2>&1").unwrap();
    let command = &list[0].first[0];
    assert_eq!(command.what, What::Simple(vec![word("cat"), word("2")]));
    let expected = [
        (0, Operator::Read, "in"),
        (2, Operator::Write, "err"),
        (1, Operator::Append, "out"),
        (1, Operator::Write, "two"),
        (2, Operator::Duplicate, "1"),
    ];
    let found: Vec<_> = command
        .redirects
        .iter()
        .map(|r| (r.fd, r.operator, r.target.clone()))
        .collect();
    assert_eq!(
        found,
        expected.map(|(fd, operator, target)| (fd, operator, word(target)))
    );
    assert_eq!(words("a2>f"), ["a2"]);
}

#[test]
fn groups() {
    let list = parse(b"(a; (b | c)&) > f | d").unwrap();
    let command = &list[0].first[0];
    assert_eq!(command.redirects.len(), 1);
    let What::Group(inner) = &command.what else {
        panic!()
    };
    assert!(inner.len() == 2 && inner[1].background);
    assert_eq!(parse(b"(\na\n\nb\n)"), parse(b"(a;b)"));
}

#[test]
fn errors() {
    use SyntaxError::*;
    for (text, error) in [
        ("|", Unexpected("|")),
        ("a | | b", Unexpected("|")),
        ("; a", Unexpected(";")),
        ("a ;; b", Unexpected(";")),
        ("a & & b", Unexpected("&")),
        (")", Unexpected(")")),
        ("a )", Unexpected(")")),
        ("()", Unexpected(")")),
        ("a (b)", Unexpected("(")),
        ("(a) b", Unexpected("word after ')")),
        ("a >", NoTarget(">")),
        ("a 2>> | b", NoTarget(">>")),
        ("a < ;", NoTarget("<")),
    ] {
        assert_eq!(parse(text.as_bytes()), Err(error), "{text}");
    }
    for text in ["'a", "\"a", "a |", "a |\n", "a &&", "(a", "(", "a \\"] {
        assert!(
            matches!(parse(text.as_bytes()), Err(Incomplete(_))),
            "{text}"
        );
    }
}

#[test]
fn nesting_is_bounded() {
    let text = format!("{}a{}", "(".repeat(60), ")".repeat(60));
    assert!(parse(text.as_bytes()).is_ok());
    assert_eq!(
        parse("(".repeat(100_000).as_bytes()),
        Err(SyntaxError::TooDeep)
    );
}

/// Any bytes at all give a tree or an error.
#[test]
fn noise() {
    let alphabet = b"ab2 |&;()<>'\"\\$?#\n\t\xff";
    let mut seed = 1u64;
    for _ in 0..20_000 {
        let mut text = vec![];
        for _ in 0..12 {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            text.push(alphabet[(seed >> 33) as usize % alphabet.len()]);
        }
        let _ = parse(&text);
    }
}
