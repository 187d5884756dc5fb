//! How to open, and levels: arguments by name.

use lightning_db_bindings::write::How;
use lightning_db_bindings::{
    ConsistencyLevel, Isolation, KeyspaceOptions, MemoryStats, Metrics, OPTIONS, Opening, OptionValue,
    Result, Stats, level,
};
use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use crate::error::Outcome;

/// The argument `consistency`: a level by its name.
#[derive(Clone, Copy)]
pub struct LevelName<'a>(&'a str);

impl<'a, 'py> FromPyObject<'a, 'py> for LevelName<'a> {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = <PyString as pyo3::type_object::PyTypeInfo>::TYPE_HINT;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            return object.extract().map(LevelName);
        }
        let kind = object.get_type().qualname()?;
        Err(PyTypeError::new_err(format!("consistency is a str, not {kind}")))
    }
}

/// A level by its name; `None` is the default of the database.
pub fn consistency(name: Option<LevelName<'_>>) -> Outcome<Option<ConsistencyLevel>> {
    Ok(name.map(|LevelName(name)| level(name)).transpose()?)
}

/// How to write, as a call says.
pub fn how(consistency: Option<LevelName<'_>>, timeout: Option<f64>) -> Outcome<How> {
    Ok(How::new(consistency.map(|LevelName(name)| name), timeout)?)
}

/// The options of a call of `open`.
pub fn opening(mode: &str, options: Option<&Bound<'_, PyDict>>) -> Outcome<Opening> {
    let mut opening = Opening::new();
    opening.set("mode", OptionValue::Text(mode))?;
    each(options, |name, value| opening.set(name, value))?;
    Ok(opening)
}

/// The options of a call of `create_keyspace`.
pub fn of_keyspace(options: Option<&Bound<'_, PyDict>>) -> Outcome<KeyspaceOptions> {
    let mut made = KeyspaceOptions::default();
    each(options, |name, value| made.set(name, value))?;
    Ok(made)
}

fn each(
    options: Option<&Bound<'_, PyDict>>,
    mut set: impl FnMut(&str, OptionValue<'_>) -> Result<()>,
) -> Outcome<()> {
    for (name, value) in options.into_iter().flatten() {
        one(&mut set, name.cast::<PyString>().map_err(PyErr::from)?.to_str()?, &value)?;
    }
    Ok(())
}

fn one(
    set: &mut impl FnMut(&str, OptionValue<'_>) -> Result<()>,
    name: &str,
    value: &Bound<'_, PyAny>,
) -> Outcome<()> {
    let value = if let Ok(truth) = value.cast::<PyBool>() {
        OptionValue::Bool(truth.is_true())
    } else if let Ok(number) = value.cast::<PyInt>() {
        // One that the engine has no integer for is judged, and refused, as a number.
        let small = number.extract().map(OptionValue::Integer);
        small.unwrap_or_else(|_| OptionValue::Seconds(number.extract().unwrap_or(f64::INFINITY)))
    } else if let Ok(number) = value.cast::<PyFloat>() {
        OptionValue::Seconds(number.value())
    } else if let Ok(text) = value.cast::<PyString>() {
        return Ok(set(name, OptionValue::Text(text.to_str()?))?);
    } else {
        let kind = value.get_type().qualname()?;
        let message = format!("option {name} takes a bool, int, float or str, not {kind}");
        return Err(PyTypeError::new_err(message).into());
    };
    Ok(set(name, value)?)
}

/// Name, what it takes in words, and what there is to say of it, for each option.
#[pyo3::pyfunction]
pub fn _options() -> Vec<(&'static str, &'static str, String)> {
    OPTIONS.iter().map(|option| (option.name, option.takes, option.about())).collect()
}

/// The figures of `stats`, `metrics` and `memory_stats`: their type, name, and what they say.
#[pyo3::pyfunction]
pub fn _meanings() -> Vec<(&'static str, &'static str, &'static str)> {
    let of = |group, (name, text)| (group, name, text);
    let stats = Stats::meanings().map(|figure| of("Stats", figure));
    let metrics = Metrics::meanings().map(|figure| of("Metrics", figure));
    stats.chain(metrics).chain(MemoryStats::meanings().map(|figure| of("MemoryStats", figure))).collect()
}

/// The names of the options that a keyspace has too: it takes a value of the right type for no others.
#[pyo3::pyfunction]
pub fn _keyspace_options() -> Vec<&'static str> {
    let has = |name: &str| {
        let values = [OptionValue::Integer(1), OptionValue::Bool(true), OptionValue::Text("bytewise")];
        values.into_iter().any(|value| KeyspaceOptions::default().set(name, value).is_ok())
    };
    OPTIONS.iter().map(|option| option.name).filter(|name| has(name)).collect()
}

/// The names of the isolations.
#[pyo3::pyfunction]
pub fn _isolations() -> Vec<&'static str> {
    Isolation::NAMES.iter().map(|(name, _)| *name).collect()
}

/// The names of the levels.
#[pyo3::pyfunction]
pub fn _levels() -> Vec<&'static str> {
    ConsistencyLevel::NAMES.iter().map(|(name, _)| *name).collect()
}
