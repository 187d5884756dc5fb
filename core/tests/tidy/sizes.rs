//! Lengths of files and functions, tests not counted.

use crate::source::{Source, Tree, closing, is_word, words};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// What was measured.
pub struct Report {
    /// The longest file and its lines.
    pub longest_file: String,
    /// The longest function and its lines.
    pub longest_function: String,
    /// Whatever is too long.
    pub violations: Vec<String>,
}

/// Measures a tree.
pub fn check(tree: &Tree) -> Report {
    let files: Vec<_> = tree.files.iter().map(|file| (production_lines(file), file.path.clone())).collect();
    let functions: Vec<_> = tree.files.iter().flat_map(functions).collect();
    let long_files = files.iter().filter(|(lines, _)| *lines > FILE_LINES);
    let long_functions = functions.iter().filter(|(lines, _)| *lines > FUNCTION_LINES);
    Report {
        longest_file: longest(&files),
        longest_function: longest(&functions),
        violations: long_files.chain(long_functions).map(describe).collect(),
    }
}

fn longest(measured: &[(usize, String)]) -> String {
    measured.iter().max().map(describe).unwrap_or_default()
}

fn describe((lines, what): &(usize, String)) -> String {
    format!("{what}: {lines} lines")
}

/// Lines of a file, comments included, less the lines of its tests.
fn production_lines(file: &Source) -> usize {
    let of_tests = file.code.lines().zip(file.production.lines()).filter(|(code, left)| code != left);
    if file.production.trim().is_empty() && !file.code.trim().is_empty() {
        return 0;
    }
    file.text.lines().count() - of_tests.count()
}

fn functions(file: &Source) -> Vec<(usize, String)> {
    let code = &file.production;
    let found = words(code, "fn").filter_map(|start| {
        let name: String =
            code[start + 2..].trim_start().bytes().take_while(|&b| is_word(b)).map(char::from).collect();
        let open = body(code, start)?;
        let lines = code[start..closing(code, open)].lines().count();
        (!name.is_empty()).then(|| (lines, format!("{}:{}: fn {name}", file.path, file.line(start))))
    });
    found.collect()
}

/// Offset of the brace that opens the body of the function at `start`; `None` if it has none.
fn body(code: &str, start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += code[at..].find(['{', ';', '(', '['])?;
        match code.as_bytes()[at] {
            b'{' => return Some(at),
            b';' => return None,
            _ => at = closing(code, at),
        }
    }
}

#[test]
fn long_files_and_functions_are_found() {
    let lines = |count: usize| "    let x = 1;\n".repeat(count);
    let function =
        |count: usize| format!("fn long(a: [u8; 4]) -> u8\nwhere\n    A: B,\n{{\n{}}}\n", lines(count - 5));
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(300));
    let fits = format!("trait T {{\n    fn none(x: fn(u8));\n}}\n{}{tests}", function(70));
    let report = check(&Tree::sample(&[("lib.rs", &fits)]));
    assert_eq!(report.violations, [""; 0]);
    assert_eq!(report.longest_function, "lib.rs:4: fn long: 70 lines");
    assert_eq!(report.longest_file, "lib.rs: 73 lines");

    let report = check(&Tree::sample(&[("lib.rs", &function(71)), ("a.rs", &"// x\n".repeat(401))]));
    assert_eq!(report.violations, ["a.rs: 401 lines", "lib.rs:1: fn long: 71 lines"]);
}
