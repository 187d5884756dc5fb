//! Unsafe code: only where it is listed, and each use with its reason.

use crate::source::{Source, Tree, words};

/// Unsafe code outside the list, without its reason, and entries of the list without a use.
pub fn check(tree: &Tree, allowed: &[(&str, &str)]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in &tree.files {
        let listed = allowed.iter().any(|(path, _)| *path == file.path);
        for at in words(&file.code, "unsafe") {
            if !listed {
                violations.push(file.at(at, "unsafe in a module that is not listed in tidy.rs"));
            } else if !is_explained(file, at) {
                violations.push(file.at(at, "unsafe without SAFETY"));
            }
        }
    }
    for (path, reason) in allowed {
        let used =
            tree.files.iter().any(|file| file.path == *path && words(&file.code, "unsafe").next().is_some());
        if !used {
            violations.push(format!("{path}: listed for unsafe code and has none"));
        }
        if reason.is_empty() {
            violations.push(format!("{path}: listed for unsafe code without a reason"));
        }
    }
    violations
}

/// A block or impl has `// SAFETY:` above it; a function or trait says in its documentation what the caller owes.
fn is_explained(file: &Source, at: usize) -> bool {
    let rest = file.code[at + "unsafe".len()..].trim_start();
    if rest.starts_with("extern")
        || file.code[..at].trim_end().ends_with([':', '(', ',', '<']) && rest.starts_with("fn")
    {
        return true; // a foreign block or a function pointer's type
    }
    let owed = if rest.starts_with("fn") || rest.starts_with("trait") { "# Safety" } else { "// SAFETY:" };
    let lines: Vec<&str> = file.text.lines().collect();
    let line = file.line(at) - 1;
    let above = lines[..line].iter().rev().map(|line| line.trim_start());
    let attached = above.take_while(|line| line.starts_with("//") || line.starts_with("#["));
    let mut said = attached.chain([lines[line]]);
    said.any(|line| line.contains(owed))
        || (owed == "// SAFETY:" && statement_above(&lines, line).any(|line| line.contains(owed)))
}

/// Comments above the statement whose continuation lines end at `line`.
fn statement_above<'a>(lines: &'a [&'a str], line: usize) -> impl Iterator<Item = &'a str> {
    let is_whole = |line: &str| line.is_empty() || line.ends_with([';', '{', '}', ',']);
    let start =
        (0..line).rev().take_while(|&at| !is_whole(lines[at].trim()) && !lines[at].trim().starts_with("//"));
    let start = start.last().unwrap_or(line);
    lines[..start].iter().rev().map(|line| line.trim_start()).take_while(|line| line.starts_with("//"))
}

#[test]
fn unsafe_code_is_found() {
    let listed: &[(&str, &str)] = &[("a.rs", "speed")];
    let wrong = [
        "fn f() {\n    unsafe { g() }\n}\n",
        "fn f() {\n    // SAFETY: one.\n    unsafe { g() };\n    unsafe { g() }\n}\n",
        "/// Text.\nunsafe fn f() {}\n",
        "unsafe impl Send for X {}\n",
        "// SAFETY: far away\n\nunsafe impl Send for X {}\n",
        "fn f() {}\n",
    ];
    for code in wrong {
        assert_eq!(check(&Tree::sample(&[("a.rs", code)]), listed).len(), 1, "{code}");
    }
    let right = [
        "fn f() {\n    // SAFETY: one,\n    // and two.\n    unsafe { g() }\n}\n",
        "fn f() {\n    // SAFETY: one.\n    let x =\n        unsafe { g() };\n}\n",
        "/// # Safety\n/// `x` is right.\n#[inline]\npub unsafe fn f() {}\n",
        "// SAFETY: no shared state.\nunsafe impl Send for X {}\n",
    ];
    for code in right {
        assert_eq!(check(&Tree::sample(&[("a.rs", code)]), listed), [""; 0], "{code}");
    }
    let elsewhere = "// SAFETY: one.\nunsafe impl Send for X {}\n#![allow(unsafe_code)] // unsafe\n";
    assert_eq!(check(&Tree::sample(&[("b.rs", elsewhere)]), &[]).len(), 1);
}
