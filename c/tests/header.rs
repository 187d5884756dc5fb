//! The header is what the crate says: written by `make generate-c`, checked for drift by every test run.

#![allow(clippy::unwrap_used, reason = "a file that cannot be read is a failed test")]
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use lightning_db_bindings::{ConsistencyLevel, ErrorKind, MemoryStats, Metrics, OPTIONS, Stats, VERSION};

/// Source files in the order in which the header shows their items.
const SOURCES: [&str; 18] = [
    "handles",
    "arguments",
    "error",
    "options",
    "comparator",
    "db",
    "memory",
    "keyspace",
    "batch",
    "ingest",
    "cursor",
    "snapshot",
    "txn",
    "transact",
    "upkeep",
    "report",
    "stats",
    "figures",
];

const INTRODUCTION: &str = "\
/*
 * Lightning DB: an embedded, ordered, transactional key-value database.
 *
 * Results. A call that returns `int` returns 0 or an error number (`enum lightning_db_error`). A call that
 * returns a pointer returns NULL on an error; NULL from one that reads a key may also say that the key is
 * absent. Why the last call of this thread failed is told by lightning_db_last_error(),
 * lightning_db_last_error_code() and the like.
 *
 * Bytes. Keys (0 to 65,535 bytes) and values (0 to 1 GiB) are any bytes with their length; NULL with length
 * 0 is the empty one. They are read during the call only, and copied where they are needed longer.
 *
 * Handles. What a `..._new`, `..._begin`, `..._scan`, `..._in`, `_create`, `_open` and the like returns is freed by
 * the caller: database and keyspace `_destroy`, else `_free`. Order does not matter: what belongs to a closed database is Closed and
 * still has to be freed. A handle is checked at every use: one that was freed is Closed, NULL or one of
 * another kind is InvalidArgument.
 *
 * Keyspaces. The handle of a keyspace has the type of the database's, and so have snapshots and transactions
 * that are seen through one: each function that takes such a handle works in its keyspace.
 *
 * Threads. Any function may be called in any thread with any handle, also while others use or free it: a
 * call that has begun goes on, later ones are Closed. What is lent (the entries of a scan, the texts of
 * the last error) is valid until the next call that its function names.
 *
 * Blocking. Opening, `_close`, `_destroy`, writes that are applied (put, delete, batch write, commit,
 * transact, ingest), making and dropping a keyspace, flush, compact, backup, restore, check and repair wait for the
 * disk, each as it says. Reads, scans and count
 * wait at most for pages that are not in memory. Everything else works in memory. Calls on one transaction,
 * scan, batch or options object take turns, so such a call may wait for another thread's.
 *
 * Processes. A child process made by fork() has no use of its parent's handles: every call on one is Forked, and does
 * nothing to the parent's database. It may open databases of its own.
 *
 * This file is generated: `make generate-c`.
 */
";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `NotADatabase` as `NOT_A_DATABASE`.
fn constant(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

fn enumeration(name: &str, what: &str, values: impl Iterator<Item = (String, usize, String)>) -> String {
    let mut text = format!("/** {what} */\nenum {name} {{\n");
    for (value, number, comment) in values {
        writeln!(text, "  /** {comment} */\n  LIGHTNING_DB_{value} = {number},").unwrap();
    }
    text.truncate(text.trim_end().trim_end_matches(',').len());
    text + "\n};\n"
}

/// Sentences of the variants of an enum of the engine, so that none is written twice.
fn sentences(file: &str) -> impl Fn(&str) -> String {
    let source = fs::read_to_string(root().join("../core/src/base").join(file)).unwrap();
    move |variant| {
        let lines: Vec<_> = source.lines().map(str::trim).collect();
        let is_variant =
            |line: &&str| **line == format!("{variant},") || line.starts_with(&format!("{variant} = "));
        let at = lines.iter().position(is_variant).unwrap();
        let above = lines[..at].iter().rev().filter(|line| !line.starts_with("#["));
        let mut said: Vec<_> = above.map_while(|line| line.strip_prefix("/// ")).collect();
        said.reverse();
        assert!(!said.is_empty(), "{variant} has no sentence");
        said.join(" ").replace('`', "")
    }
}

/// Names with what there is to say of each, as a comment.
fn named<'a>(title: &str, list: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut text = format!("/*\n * {title}\n *\n");
    for (name, about) in list {
        write!(text, " *   {name}:").unwrap();
        let mut column = 6 + name.len();
        for word in about.replace('`', "").split_whitespace() {
            if column + 1 + word.len() > 110 {
                text += "\n *    ";
                column = 6;
            }
            write!(text, " {word}").unwrap();
            column += 1 + word.len();
        }
        text += "\n";
    }
    text + " */\n\n"
}

/// Options and figures as comments.
fn names() -> String {
    let meaning = |(name, text): (&'static str, &'static str)| (name, text.to_owned());
    let options = OPTIONS.iter().map(|spec| (spec.name, spec.about()));
    let metrics = "Figures of lightning_db_metrics. Rates, averages and quantiles are about the time since the last call that is\n \
        * at least 10 seconds old, or since the database was opened.";
    named("Options by name.", options)
        + &named("Figures of lightning_db_stat_int, _ratio, _list and _text.", Stats::meanings().map(meaning))
        + &named(metrics, Metrics::meanings().map(meaning))
        + &named("Figures of lightning_db_memory_stats.", MemoryStats::meanings().map(meaning))
}

fn after_includes() -> String {
    let numbers: Vec<_> = VERSION.split('.').collect();
    let mut text = format!("\n/** Version of this header. */\n#define LIGHTNING_DB_VERSION \"{VERSION}\"\n");
    for (part, number) in ["MAJOR", "MINOR", "PATCH"].into_iter().zip(numbers) {
        writeln!(text, "#define LIGHTNING_DB_VERSION_{part} {number}").unwrap();
    }
    text += "\n";
    text += include_str!("header/macros.h");
    text += &names();
    let sentence = sentences("error.rs");
    let errors = ErrorKind::ALL.iter().map(|kind| {
        let retry = if kind.is_retryable() { " The same call may succeed later." } else { "" };
        (constant(kind.name()), usize::from(kind.code()), sentence(kind.name()) + retry)
    });
    let ok = ("OK".to_string(), 0, "Success.".to_string());
    text += &enumeration(
        "lightning_db_error",
        "Numbers of errors, the same in every language. New ones are added at the end.",
        std::iter::once(ok).chain(errors),
    );
    let sentence = sentences("config.rs");
    let levels = ConsistencyLevel::NAMES
        .iter()
        .enumerate()
        .map(|(index, (name, level))| (name.to_uppercase(), index + 1, sentence(&format!("{level:?}"))));
    let default = ("DEFAULT_LEVEL".to_string(), 0, "The default level of the database.".to_string());
    text += "\n";
    text += &enumeration(
        "lightning_db_level",
        "How far a write has got when the call returns.",
        std::iter::once(default).chain(levels),
    );
    text
}

fn generate() -> String {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        header: Some(INTRODUCTION.trim_end().to_string()),
        include_guard: Some("LIGHTNING_DB_H".to_string()),
        cpp_compat: true,
        no_includes: true,
        sys_includes: ["stdbool.h", "stddef.h", "stdint.h"].map(String::from).to_vec(),
        after_includes: Some(after_includes()),
        usize_is_size_t: true,
        style: cbindgen::Style::Type,
        documentation_style: cbindgen::DocumentationStyle::Doxy,
        line_length: 110,
        ..Default::default()
    };
    config.function.prefix = Some("LIGHTNING_DB_API".to_string());
    config.function.must_use = Some("LIGHTNING_DB_MUST_CHECK".to_string());
    // The C library's own.
    config.export.exclude = ["malloc", "free"].map(String::from).to_vec();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(root().join("src").join(source).with_extension("rs"));
    }
    let mut bytes = Vec::new();
    builder.generate().unwrap().write(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

#[test]
fn the_header_is_what_the_crate_says() {
    let path = root().join("include/lightning_db.h");
    let generated = generate();
    if std::env::var_os("LIGHTNING_DB_GENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    let differs = committed.lines().zip(generated.lines()).find(|(a, b)| a != b);
    assert!(committed == generated, "run `make generate-c`: the header differs, first at {differs:?}");
}

#[test]
fn every_source_with_exports_is_in_the_header() {
    let header = generate();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        // For the tests alone: it is in no library that is given out.
        if path.ends_with("faults.rs") {
            assert!(!header.contains("test_disk"));
            continue;
        }
        let exports = source.lines().filter(|line| line.starts_with("pub") && line.contains("extern \"C"));
        for (_, rest) in exports.filter_map(|line| line.split_once("fn ")) {
            let name = rest.split('(').next().unwrap();
            assert!(header.contains(&format!("{name}(")), "{name}");
        }
    }
}

#[test]
fn every_function_is_documented() {
    let header = generate();
    let lines: Vec<_> = header.lines().collect();
    let mut functions = 0;
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("LIGHTNING_DB_API")) {
        let above = lines[..index].iter().rev().find(|line| !line.starts_with("LIGHTNING_DB_MUST_CHECK"));
        assert!(above.is_some_and(|line| line.trim().ends_with("*/")), "line {index}: {line}");
        functions += 1;
    }
    assert!(functions > 50, "{functions} functions found");
}
