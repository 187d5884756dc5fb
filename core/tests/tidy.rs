//! Proves the rules of the tree that the compiler does not: layers, sizes, words, unsafe code.
//!
//! `cargo test -p lightning_db --test tidy -- --nocapture` also prints the longest file, the longest
//! function and the imports inside one group.

#![allow(clippy::expect_used, reason = "a file that cannot be read is a failed test")]

#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/manifests.rs"]
mod manifests;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/unsafety.rs"]
mod unsafety;

use std::path::PathBuf;

use source::Tree;

/// The modules of `core/src` that may hold unsafe code, and why.
const UNSAFE: &[(&str, &str)] = &[
    ("cache/slots.rs", "lends pages that readers find without a lock"),
    ("cache/regions.rs", "blocks of mapped memory, which can be given back"),
    ("cache/words.rs", "words over mapped memory, which can be given back"),
    ("memtable/arena.rs", "raw allocation: records and nodes are freed together"),
    ("memtable/chunks.rs", "raw allocation: memory of memtables that is used again"),
    ("memtable/cursor.rs", "keeps a place together with the table that it is in"),
    ("memtable/leaf.rs", "typed access to leaves in the arena"),
    ("memtable/node.rs", "typed access to nodes in the arena"),
    ("memtable/slots.rs", "unchecked access to slots that a permutation names"),
    ("memtable/split.rs", "creates nodes, and publishes them as the one writer"),
    ("memtable/stored.rs", "reads records behind a pointer"),
    ("memtable/tree.rs", "follows the root pointer"),
    ("memtable/writer.rs", "creates records, and publishes them as the one writer"),
    ("prefetch.rs", "an intrinsic that takes a raw pointer"),
    ("vfs/os/fork.rs", "has the C library call functions around a fork"),
    ("vfs/os/map.rs", "a map is memory that the operating system fills"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn core() -> Tree {
    Tree::read(&root().join("core/src"))
}

/// The sources of what stands over the engine.
fn faces() -> impl Iterator<Item = Tree> {
    ["bindings", "c", "python", "node"].into_iter().map(|folder| Tree::read(&root().join(folder).join("src")))
}

#[track_caller]
fn assert_none(violations: Vec<String>) {
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

#[test]
fn modules_import_from_layers_above() {
    let graph = layers::Graph::of(&core());
    println!("imports between modules: {}", graph.edges.len());
    for edge in graph.inside_a_group() {
        println!("inside a group: {edge}");
    }
    assert_none(graph.violations());
}

#[test]
fn no_import_cycles() {
    let cycles = layers::Graph::of(&core()).cycles();
    println!("import cycles: {}", cycles.len());
    assert_none(cycles);
}

#[test]
fn files_and_functions_are_short() {
    let report = sizes::check(&core());
    println!("longest file: {}", report.longest_file);
    println!("longest function: {}", report.longest_function);
    assert_none(report.violations);
    assert_none(faces().flat_map(|tree| sizes::check(&tree).violations).collect());
}

#[test]
fn the_outside_world_is_reached_through_the_vfs() {
    assert_none(rules::outside_world(&core()));
}

#[test]
fn production_code_does_not_panic_or_print() {
    assert_none(rules::forbidden_calls(&core()));
    assert_none(faces().flat_map(|tree| rules::forbidden_calls(&tree)).collect());
}

#[test]
fn every_file_says_what_it_is() {
    assert_none(rules::headers(&core()));
    assert_none(faces().flat_map(|tree| rules::headers(&tree)).collect());
}

#[test]
fn unsafe_code_is_listed_and_explained() {
    assert_none(unsafety::check(&core(), UNSAFE));
}

#[test]
fn text_is_clean() {
    let texts = source::texts(&root());
    assert!(texts.len() > 20, "only {} files found", texts.len());
    assert_none(texts.iter().flat_map(|(name, text)| rules::text(name, text)).collect());
}

/// A row of the README's table of options: option, default, range, effect.
#[test]
fn the_readme_says_of_each_option_what_the_faces_say() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for spec in lightning_db::OPTIONS {
        let of_it = |cells: &Vec<&str>| {
            let name = cells.get(1).map_or("", |cell| cell.trim_matches('`'));
            name.rsplit('.').next() == Some(spec.name) && cells.len() >= 5
        };
        let rows = readme.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        let row = rows.into_iter().find(of_it).unwrap_or_else(|| panic!("no row of {}", spec.name));
        let default = row[2].trim_matches('`');
        assert!(default.eq_ignore_ascii_case(spec.default), "default of {}: {default}", spec.name);
        assert!(row[4].starts_with(spec.effect), "{}: {} is not: {}", spec.name, row[4], spec.effect);
    }
}

/// The face's own README is run by its tests, so what the first page shows of it is run too.
#[test]
fn snippets_of_other_languages_are_those_of_their_faces() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect(path);
    let readme = read("README.md");
    for (language, face) in [("python", "python"), ("js", "node"), ("c", "c")] {
        let own = read(&format!("{face}/README.md"));
        let fence = format!("```{language}\n");
        let snippets = readme.split(&fence).skip(1).filter_map(|rest| rest.split_once("```"));
        let snippets: Vec<_> = snippets.map(|(snippet, _)| snippet).collect();
        assert!(!snippets.is_empty(), "README.md shows nothing of {face}");
        for snippet in snippets {
            assert!(own.contains(&format!("{fence}{snippet}```")), "not in {face}/README.md:\n{snippet}");
        }
    }
}

#[test]
fn crates_depend_in_one_direction() {
    assert_none(manifests::check(&root()));
}

#[test]
fn the_table_of_planted_faults_has_all_of_them() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect(path);
    let (source, table) = (read("core/src/base/planted.rs"), read("docs/testing.md"));
    let plants = source.split_once("\nplants! {\n").and_then(|(_, rest)| rest.split_once('}'));
    let plants: Vec<_> = plants.map_or("", |(plants, _)| plants).split(',').map(str::trim).collect();
    let rows = table.split_once("\n| fault |").map_or("", |(_, rest)| rest);
    let rows: Vec<_> = rows.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).collect();
    assert!(rows.len() > 20 && rows.iter().map(|(name, _)| *name).chain([""]).eq(plants));
}
