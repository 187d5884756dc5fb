//! Words that may not stand in a place, and the form of text.

use crate::source::{Source, Tree, closing, is_word, words};

/// Files, threads and clocks outside `vfs/os.rs`; locks, and how long a thread waits for one, outside `sync.rs`.
pub fn outside_world(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for file in &tree.files {
        let is_sync = file.module().split("::").next() == Some("sync");
        if !format!("{}::", file.module()).starts_with("vfs::os::") {
            for part in ["fs", "thread"] {
                if part == "thread" && is_sync {
                    continue; // yields, which a model checker replaces too
                }
                let places = standard_paths(file, part);
                violations.extend(places.map(|at| file.at(at, &format!("std::{part} outside vfs/os.rs"))));
            }
            for clock in ["Instant", "SystemTime"] {
                if clock == "Instant" && is_sync {
                    continue;
                }
                let places = words(&file.production, clock);
                violations.extend(places.map(|at| file.at(at, &format!("{clock} outside vfs/os.rs"))));
            }
        }
        if !is_sync {
            let places = words(&file.production, "parking_lot");
            violations.extend(places.map(|at| file.at(at, "parking_lot outside sync.rs")));
        }
    }
    violations
}

/// Paths that start with `std` and have the part, also in a braced list.
fn standard_paths<'a>(file: &'a Source, part: &'a str) -> impl Iterator<Item = usize> + 'a {
    let code = &file.production;
    words(code, "std").filter(move |&start| {
        let mut end = start;
        while let Some(&byte) = code.as_bytes().get(end) {
            match byte {
                b'{' => end = closing(code, end),
                b':' => end += 1,
                _ if is_word(byte) => end += 1,
                _ => break,
            }
        }
        words(&code[start..end], part).next().is_some()
    })
}

/// Calls that panic or print.
pub fn forbidden_calls(tree: &Tree) -> Vec<String> {
    let methods = ["unwrap", "unwrap_err", "expect", "expect_err"];
    let macros = ["panic", "todo", "unimplemented", "dbg", "print", "println", "eprint", "eprintln"];
    let mut violations = Vec::new();
    for file in &tree.files {
        let code = &file.production;
        let called = |at: usize, word: &str, mark: char| code[at + word.len()..].starts_with(mark);
        for word in methods {
            let places =
                words(code, word).filter(|&at| code[..at].ends_with(['.', ':']) && called(at, word, '('));
            violations.extend(places.map(|at| file.at(at, &format!("{word}() in production code"))));
        }
        for word in macros {
            let places = words(code, word).filter(|&at| called(at, word, '!'));
            violations.extend(places.map(|at| file.at(at, &format!("{word}! in production code"))));
        }
    }
    violations
}

/// Files that do not begin with what they are.
pub fn headers(tree: &Tree) -> Vec<String> {
    let silent = tree.files.iter().filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| file.at(0, "the first line is not a //! sentence")).collect()
}

/// Tabs, white space at the end of a line, marks of unfinished work.
pub fn text(name: &str, text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let mut found = |what: &str| violations.push(format!("{name}:{}: {what}", index + 1));
        if line.contains('\t') {
            found("a tab");
        }
        if line.ends_with([' ', '\r']) {
            found("white space at the end of the line");
        }
        for mark in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
            if words(line, mark).next().is_some() {
                found(mark);
            }
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        violations.push(format!("{name}: no line end at the end"));
    }
    violations
}

#[test]
fn the_outside_world_is_found() {
    let wrong = [
        "use std::fs;",
        "use std::{io, fs::File};",
        "fn f() { std::thread::sleep(x) }",
        "use std::os::unix::fs::FileExt;",
        "use std::time::{Duration, Instant};",
        "use std::time; fn f() { time::SystemTime::now() }",
        "use parking_lot::Mutex;",
    ];
    for code in wrong {
        assert_eq!(outside_world(&Tree::sample(&[("a.rs", code)])).len(), 1, "{code}");
    }
    let right = [
        ("vfs/os.rs", "use std::fs; use std::thread; use std::time::Instant;"),
        ("vfs/os/unix.rs", "use std::fs;"),
        ("sync.rs", "pub use parking_lot::Mutex;"),
        ("a.rs", "use std::io; use crate::fs; // std::fs\n#[cfg(test)]\nuse std::fs;"),
        ("a.rs", "use std::{io, time::Duration}; mod fs {}"),
        ("a/tests.rs", "use std::thread;"),
    ];
    for (path, code) in right {
        assert_eq!(outside_world(&Tree::sample(&[(path, code)])), [""; 0], "{code}");
    }
}

#[test]
fn calls_that_panic_or_print_are_found() {
    let wrong =
        ["x.unwrap()", "x.expect(\"y\")", "panic!(\"y\")", "todo!()", "std::println!()", "Option::unwrap(x)"];
    for code in wrong {
        let code = format!("fn f() {{ {code} }}");
        assert_eq!(forbidden_calls(&Tree::sample(&[("a.rs", &code)])).len(), 1, "{code}");
    }
    let right = ["x.unwrap_or(1)", "panic::catch_unwind(f)", "\"x.unwrap()\"", "expect(x)", "// dbg!()\n"];
    for code in right {
        let code = format!("fn f() {{ {code} }}\n#[test]\n#[cfg(test)]\nfn t() {{ x.unwrap() }}");
        assert_eq!(forbidden_calls(&Tree::sample(&[("a.rs", &code)])), [""; 0], "{code}");
    }
}

#[test]
fn missing_headers_are_found() {
    assert_eq!(headers(&Tree::sample(&[("a.rs", "//! A.\n"), ("b.rs", "use x;\n")])).len(), 1);
}

#[test]
fn unclean_text_is_found() {
    let mark = concat!("// TO", "DO\n");
    for wrong in ["a\tb\n", "a \n", "a\r\n", "a", mark] {
        assert_eq!(text("a", wrong).len(), 1, "{wrong:?}");
    }
    assert_eq!(text("a", "fn todo() {}\n\n"), [""; 0]);
}
