//! The comparison as Markdown.

use std::fmt::Write;

use crate::flushes::Counted;
use crate::goals::{Goal, ROWS, Row};
use crate::large::LargeRun;
use crate::peers::{self, OURS};
use crate::record::Comparison;
use crate::report::figures::{bytes, digits, shown};
use crate::report::judge::{counts, judge};

/// Titles of the engines of a comparison, in its order.
fn title(engine: &str) -> &str {
    peers::named(engine).map_or(engine, |peer| peer.about.title)
}

fn cell(comparison: &Comparison, engine: &str, row: &Row) -> String {
    let Some(median) = comparison.median(engine, row.id) else { return "–".into() };
    let weaker = if engine != OURS && !counts(engine, row) { "\\*" } else { "" };
    let spread = if median.runs > 1 { format!(" ±{:.0} %", median.spread * 100.0) } else { String::new() };
    format!("{}{weaker}{spread}", shown(row.unit, median.value))
}

fn table_of(text: &mut String, comparison: &Comparison, rows: &[&Row]) {
    let engines = comparison.engines();
    let judged = rows.iter().any(|row| row.goal != Goal::Shown);
    let titles: Vec<_> = engines.iter().map(|engine| title(engine)).collect();
    let last = if judged { " to reach | |" } else { "" };
    let _ = writeln!(text, "| row | {} | best peer | ratio |{last}", titles.join(" | "));
    let columns = engines.len() + 3 + if judged { 2 } else { 0 };
    let _ = writeln!(text, "|{}", "---|".repeat(columns));
    for row in rows {
        let verdict = judge(comparison, row);
        let cells: Vec<_> = engines.iter().map(|engine| cell(comparison, engine, row)).collect();
        let best = verdict.best.map_or("–", |best| title(best.engine));
        let ratio = verdict.ratio.map_or("–".into(), digits);
        let _ = write!(text, "| {} | {} | {best} | {ratio} |", row.title, cells.join(" | "));
        if judged {
            let mark = verdict.reached.map_or("", |reached| if reached { "reached" } else { "missed" });
            let _ = write!(text, " {} | {mark} |", verdict.goal);
        }
        text.push('\n');
    }
    text.push('\n');
}

fn background(text: &mut String, comparison: &Comparison) {
    let engines = comparison.engines();
    let titles: Vec<_> = engines.iter().map(|engine| title(engine)).collect();
    let _ = writeln!(text, "## Work in the background\n");
    let _ = writeln!(text, "Processors that threads of the engine's own kept busy while the row ran.\n");
    let _ = writeln!(text, "| row | {} |\n|{}", titles.join(" | "), "---|".repeat(engines.len() + 1));
    for row in ROWS {
        let figures: Vec<_> = engines.iter().map(|engine| comparison.background(engine, row.id)).collect();
        if figures.iter().any(Option::is_some) {
            let cells: Vec<_> =
                figures.iter().map(|figure| figure.map_or("–".into(), |busy| format!("{busy:.2}"))).collect();
            let _ = writeln!(text, "| {} | {} |", row.title, cells.join(" | "));
        }
    }
    text.push('\n');
}

fn settings(text: &mut String, comparison: &Comparison) {
    let _ = writeln!(text, "## Settings\n\n| engine | version | settings |\n|---|---|---|");
    for engine in comparison.engines() {
        if let Some(peer) = peers::named(engine) {
            let about = peer.about;
            let _ = writeln!(text, "| {} | {} | {} |", about.title, about.version, about.settings);
        }
    }
    text.push('\n');
    for peer in comparison.engines().into_iter().filter_map(peers::named) {
        if let Some(weaker) = peer.about.weaker {
            let _ = writeln!(
                text,
                "\\* {}: {weaker}; not judged where writes must survive that.",
                peer.about.title
            );
        }
    }
}

/// The whole comparison.
pub fn table(comparison: &Comparison) -> String {
    let conditions = &comparison.conditions;
    let rounds = comparison.runs.iter().filter(|run| run.engine == OURS).count();
    let mut text = String::from("# Side by side\n\n");
    let _ = writeln!(
        text,
        "{} records of 16 + 100 bytes, {} of cache each, medians of {rounds} runs, ± from the worst to the best run. \
         Commit {}, {} UTC, {:.0} s.\n\n{}\n",
        conditions.records,
        bytes(conditions.cache as f64),
        conditions.commit,
        conditions.began,
        conditions.wall_seconds,
        conditions.machine,
    );
    let (judged, more): (Vec<&Row>, Vec<&Row>) = ROWS.iter().partition(|row| row.goal != Goal::Shown);
    let reached = judged.iter().filter(|row| judge(comparison, row).reached == Some(true)).count();
    let _ = writeln!(text, "{reached} of {} goals are reached.\n", judged.len());
    table_of(&mut text, comparison, &judged);
    let _ = writeln!(text, "## Not judged\n");
    table_of(&mut text, comparison, &more);
    background(&mut text, comparison);
    settings(&mut text, comparison);
    for run in &comparison.runs {
        if let Some(failure) = &run.failure {
            let _ = writeln!(text, "\n**{} failed:** {failure}", title(&run.engine));
        }
    }
    text
}

/// What was counted of each engine's flushes.
pub fn flushes_table(counted: &[Counted]) -> String {
    let mut text = String::from("# Flushes before acknowledgements\n\n");
    let _ = writeln!(
        text,
        "| engine | threads | acknowledged | flushes | without a flush before |\n|---|---|---|---|---|"
    );
    for row in counted {
        let engine = title(&row.engine);
        let _ = writeln!(
            text,
            "| {engine} | {} | {} | {} | {} |",
            row.threads, row.acknowledged, row.flushes, row.uncovered
        );
    }
    for row in counted {
        let _ =
            writeln!(text, "\n{}, {} threads:\n\n```\n{}```", title(&row.engine), row.threads, row.excerpt);
    }
    text
}

/// The run in a small cgroup.
pub fn large_table(runs: &[LargeRun], memory: u64, cache: usize) -> String {
    let mut text = String::from("# More data than memory\n\n");
    let (memory, cache) = (bytes(memory as f64), bytes(cache as f64));
    let _ = writeln!(text, "One process each, {memory} of memory for all it does, {cache} of cache.\n");
    let _ = writeln!(
        text,
        "| engine | loaded | batches of 1,000 | random overwrites | random gets |\n|---|---|---|---|---|"
    );
    let rate =
        |value: Option<f64>| value.map_or("–".into(), |value| shown(crate::goals::Unit::PerSecond, value));
    for run in runs {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            title(&run.engine),
            run.loaded,
            rate(run.load),
            rate(run.overwrite),
            rate(run.get)
        );
    }
    for run in runs {
        if let Some(failure) = &run.failure {
            let _ = writeln!(text, "\n**{} failed:** {failure}", title(&run.engine));
        }
    }
    text
}
