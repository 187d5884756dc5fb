//! Source files, with the parts that are not production code blanked out.

use std::fs;
use std::path::Path;

/// One Rust file.
pub struct Source {
    /// Path below the folder that was read, with `/`.
    pub path: String,
    /// The file as it is.
    pub text: String,
    /// The same bytes with comments and literals blanked.
    pub code: String,
    /// `code` with test items blanked too; blank altogether in a file of tests.
    pub production: String,
}

/// All Rust files of a folder, by path.
pub struct Tree {
    /// The files.
    pub files: Vec<Source>,
}

impl Tree {
    /// Reads a folder.
    pub fn read(folder: &Path) -> Tree {
        let mut files = Vec::new();
        walk(folder, "", &mut |path, text| {
            if path.ends_with(".rs") {
                files.push((path, text));
            }
        });
        assert!(files.iter().any(|(path, _)| path == "lib.rs"), "no lib.rs in {}", folder.display());
        Tree::of(files)
    }

    /// A tree of texts.
    pub fn of(files: Vec<(String, String)>) -> Tree {
        let mut files: Vec<_> = files.into_iter().map(|(path, text)| Source::new(path, text)).collect();
        let test_modules: Vec<String> = files.iter().flat_map(Source::test_modules).collect();
        for file in &mut files {
            let module = file.module();
            let of_tests = module.split("::").any(|part| part == "tests")
                || test_modules
                    .iter()
                    .any(|test| module == *test || module.starts_with(&format!("{test}::")));
            if of_tests {
                file.production = blank(&file.production, 0, file.production.len());
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Tree { files }
    }

    /// A tree for a test of a check.
    pub fn sample(files: &[(&str, &str)]) -> Tree {
        Tree::of(files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect())
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> &Source {
        self.files.iter().find(|file| file.path == path).expect(path)
    }
}

impl Source {
    fn new(path: String, text: String) -> Source {
        let code = mask(&text);
        let mut production = code.clone();
        for (start, end) in test_items(&code) {
            production = blank(&production, start, end);
        }
        Source { path, text, code, production }
    }

    /// The module path: `a/b/mod.rs` and `a/b.rs` are `a::b`; `lib.rs` is empty.
    pub fn module(&self) -> String {
        let path = self.path.trim_end_matches(".rs");
        let path = path.strip_suffix("/mod").unwrap_or(path);
        if path == "lib" { String::new() } else { path.replace('/', "::") }
    }

    /// The line of an offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// A violation at an offset.
    pub fn at(&self, offset: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, self.line(offset))
    }

    /// Modules that are declared for tests only and live in their own files.
    fn test_modules(&self) -> Vec<String> {
        let parent = self.module();
        let items = test_items(&self.code);
        let names = items.iter().filter_map(|&(start, end)| {
            let item = self.code[start..end].trim().strip_suffix(';')?;
            item.rsplit_once("mod ").map(|(_, name)| name.trim().to_string())
        });
        names.map(|name| if parent.is_empty() { name } else { format!("{parent}::{name}") }).collect()
    }
}

/// Every text file of the project that people edit, with its path.
pub fn texts(root: &Path) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    walk(root, "", &mut |path, text| {
        let known = [".rs", ".toml", ".md", ".py", ".js", ".ts", ".c", ".h", ".json"];
        let generated = path.ends_with("package-lock.json");
        if !generated && known.iter().any(|end| path.ends_with(end)) {
            texts.push((path, text));
        }
    });
    texts
}

fn walk(folder: &Path, prefix: &str, visit: &mut dyn FnMut(String, String)) {
    let skipped = ["target", "node_modules", "__pycache__"];
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let entry = entry.expect("an entry of a folder");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type().expect("the type of an entry").is_dir() {
            if !skipped.contains(&name.as_str()) && !name.starts_with('.') {
                walk(&entry.path(), &format!("{path}/"), visit);
            }
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            visit(path, text);
        }
    }
}

/// Replaces all but line ends by spaces, so that offsets and lines stay.
pub fn blank(text: &str, start: usize, end: usize) -> String {
    let bytes = text.bytes().enumerate();
    let kept = bytes.map(|(i, byte)| if byte == b'\n' || i < start || i >= end { byte } else { b' ' });
    String::from_utf8_lossy(&kept.collect::<Vec<u8>>()).into_owned()
}

/// The text with comments and the content of literals as spaces.
pub fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut masked: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = at + token_to_blank(&bytes[at..], masked.last().copied());
        if end == at {
            masked.push(bytes[at]);
            at += 1;
        } else {
            masked.extend(bytes[at..end].iter().map(|&byte| if byte == b'\n' { byte } else { b' ' }));
            at = end;
        }
    }
    String::from_utf8_lossy(&masked).into_owned()
}

/// Length of the comment or literal at the start of `rest`; 0 if there is none.
fn token_to_blank(rest: &[u8], before: Option<u8>) -> usize {
    let in_word = before.is_some_and(is_word);
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => string(rest),
        [b'b' | b'c', b'"', ..] if !in_word => 1 + string(&rest[1..]),
        [b'r', b'"' | b'#', ..] if !in_word => raw_string(rest, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !in_word => raw_string(rest, 2),
        [b'\'', ..] => character(rest),
        _ => 0,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return 0; // a raw identifier
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = prefix + hashes + 1;
    let found = rest[body..].windows(close.len()).position(|window| window == close);
    found.map_or(rest.len(), |at| body + at + close.len())
}

/// A character literal; 0 for a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let close = rest.iter().skip(3).position(|&byte| byte == b'\'');
        return close.map_or(rest.len(), |at| at + 4);
    }
    let width = match rest.get(1) {
        Some(byte) if byte.leading_ones() > 1 => byte.leading_ones() as usize,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
}

/// Whether a byte can be part of an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Offsets at which a word stands by itself.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let free = |offset: Option<usize>| {
        let byte = offset.and_then(|offset| code.as_bytes().get(offset));
        !byte.is_some_and(|&byte| is_word(byte))
    };
    let found = code.match_indices(word).map(|(start, _)| start);
    found.filter(move |&start| free(start.checked_sub(1)) && free(Some(start + word.len())))
}

/// Offset behind the bracket that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// End of the item at `start`: behind its first `;` or `{ … }` outside other brackets.
fn item_end(code: &str, start: usize) -> usize {
    let bytes = code.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b';' => return at + 1,
            b'{' => return closing(code, at),
            b'(' | b'[' => at = closing(code, at),
            _ => at += 1,
        }
    }
    code.len()
}

/// Ranges of the items under `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    let marks = ["#[cfg(test)]", "#[cfg(all(test,"];
    let starts = marks.iter().flat_map(|mark| code.match_indices(mark).map(|(start, _)| start));
    starts.map(|start| (start, item_end(code, start))).collect()
}

#[test]
fn comments_and_literals_are_masked_and_nothing_else() {
    let pairs = [
        ("a // b \"c\nd", "a d"),
        ("a /* b /* c */ d */ e", "a e"),
        (r#"f("a\"b", b"c\\", c"d")"#, "f( , , )"),
        (r###"f(r"a\", r#"b"c"#, br##"d"#e"##)"###, "f( , , )"),
        (r"f('a', '\'', '\\', '\u{1F600}', b'b', 'ä')", "f( , , , , b , )"),
        ("'outer: f::<'a, 'static>(r#type)", "'outer: f::<'a, 'static>(r#type)"),
        ("bar\"x\"", "bar"),
    ];
    for (text, left) in pairs {
        let masked = mask(text);
        assert_eq!(masked.len(), text.len(), "{text}");
        assert_eq!(masked.split_whitespace().collect::<Vec<_>>().join(" "), left, "{text}");
    }
}

#[test]
fn test_code_is_known() {
    let tree = Tree::sample(&[
        ("lib.rs", "mod a;\n#[cfg(test)]\nmod helpers;\n"),
        ("a/mod.rs", "fn real() {}\n#[cfg(test)]\n#[allow(x)]\nfn t(x: [u8; 4]) { {} }\nfn last() {}"),
        ("a/b.rs", "#[cfg(all(test, unix))]\nmod tests { fn test() {} }"),
        ("a/tests.rs", "fn test() {}"),
        ("a/tests/more.rs", "fn test() {}"),
        ("helpers.rs", "fn test() {}"),
    ]);
    let left: Vec<&str> = tree.files.iter().flat_map(|file| file.production.split_whitespace()).collect();
    assert_eq!(left.join(" "), "fn real() {} fn last() {} mod a;");
}

#[test]
fn words_stand_alone() {
    assert_eq!(words("unsafe_code unsafe (unsafe)", "unsafe").collect::<Vec<_>>(), [12, 20]);
}
