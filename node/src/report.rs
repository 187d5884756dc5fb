//! Reports of checks and repairs.

use lightning_db_bindings::{CheckReport, Finding, RepairReport};

use crate::env::{Env, Outcome, Value};

/// A report as an object.
pub fn give(env: Env, report: &CheckReport) -> Outcome {
    let object = env.object()?;
    env.set(object, "ok", env.boolean(report.is_ok())?)?;
    env.set(object, "problems", findings(env, &report.problems)?)?;
    env.set(object, "notes", findings(env, &report.notes)?)?;
    let repair = report.repair.as_ref().map_or_else(|| env.undefined(), |repair| repaired(env, repair))?;
    env.set(object, "repair", repair)?;
    for (name, figure) in [
        ("files", report.files),
        ("pages", report.pages),
        ("records", report.records),
        ("bytes", report.bytes),
    ] {
        env.set(object, name, env.number(figure as f64)?)?;
    }
    Ok(object)
}

fn repaired(env: Env, repair: &RepairReport) -> Outcome {
    let object = env.object()?;
    env.set(object, "salvaged_records", env.number(repair.salvaged_records as f64)?)?;
    env.set(object, "lost", findings(env, &repair.lost)?)?;
    let paths: Outcome<Vec<_>> =
        repair.set_aside.iter().map(|path| env.text(path.to_string_lossy().as_bytes())).collect();
    env.set(object, "set_aside", env.array(&paths?)?)?;
    Ok(object)
}

/// An array of them, each in a scope of its own: there may be many.
fn findings(env: Env, findings: &[Finding]) -> Outcome {
    let array = env.array(&[])?;
    for (index, one) in findings.iter().enumerate() {
        env.scoped(|| env.set_element(array, index as u32, finding(env, one)?))?;
    }
    Ok(array)
}

fn finding(env: Env, finding: &Finding) -> Outcome {
    let object = env.object()?;
    let or_undefined = |value: Option<Outcome>| value.unwrap_or_else(|| env.undefined());
    let number = |value: Option<u64>| or_undefined(value.map(|value| env.number(value as f64)));
    let key = |value: &Option<Vec<u8>>| or_undefined(value.as_ref().map(|value| env.buffer(value)));
    let text = |value: &str| env.text(value.as_bytes());
    let fields: [(&str, Value); 7] = [
        ("file", text(&finding.file.to_string_lossy())?),
        ("offset", number(finding.offset)?),
        ("keyspace", or_undefined(finding.keyspace.as_deref().map(text))?),
        ("first_key", key(&finding.first_key)?),
        ("last_key", key(&finding.last_key)?),
        ("records", number(finding.records)?),
        ("what", text(&finding.what)?),
    ];
    for (name, value) in fields {
        env.set(object, name, value)?;
    }
    Ok(object)
}
