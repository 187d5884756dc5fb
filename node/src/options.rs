//! Options of an open database, and other arguments that are words or numbers.

use std::time::Instant;

use lightning_db_bindings::{
    ConsistencyLevel, Error, Isolation, KeyspaceOptions, Opening, OptionValue, Result, isolation, level,
    number, write::patience,
};
use napi_sys::ValueType;

use crate::env::{Env, Failure, Outcome, Value};

/// Options as they were given, by name.
pub struct Options(Vec<(String, Given)>);

enum Given {
    Bool(bool),
    Integer(u64),
    Number(f64),
    Text(String),
}

impl Given {
    fn value(&self) -> OptionValue<'_> {
        match self {
            Given::Bool(value) => OptionValue::Bool(*value),
            Given::Integer(value) => OptionValue::Integer(*value),
            Given::Number(value) => number(*value),
            Given::Text(value) => OptionValue::Text(value),
        }
    }
}

impl Options {
    /// From names and values by turns.
    pub fn from_values(env: Env, list: Value) -> Outcome<Options> {
        let mut options = Vec::new();
        for pair in env.elements(list)?.chunks_exact(2) {
            let [name, value] = *pair else { continue };
            let name = env.string_of(name, "the name of an option is a string")?;
            let given = match env.kind(value)? {
                ValueType::napi_boolean => Given::Bool(env.boolean_of(value)?),
                ValueType::napi_number => Given::Number(env.number_of(value)?),
                ValueType::napi_string => Given::Text(env.string_of(value, "a string is expected")?),
                ValueType::napi_bigint => match env.bigint_of(value)? {
                    Some(value) => Given::Integer(value),
                    None => {
                        return Err(
                            Error::invalid(format!("option {name}: the number is out of range")).into()
                        );
                    }
                },
                _ => {
                    return Err(Failure::Type(
                        "an option takes true or false, a number, a bigint or a string",
                    ));
                }
            };
            options.push((name, given));
        }
        Ok(Options(options))
    }

    /// Sets all of them.
    pub fn apply(&self, opening: &mut Opening) -> Result<()> {
        self.0.iter().try_for_each(|(name, given)| opening.set(name, given.value()))
    }

    /// Sets all of them for a keyspace.
    pub fn for_keyspace(&self) -> Result<KeyspaceOptions> {
        let mut options = KeyspaceOptions::default();
        self.0.iter().try_for_each(|(name, given)| options.set(name, given.value()))?;
        Ok(options)
    }

    /// Whether the database is opened to be read only.
    pub fn is_read_only(&self) -> bool {
        let mode = self.0.iter().rev().find(|(name, _)| name == "mode");
        mode.is_some_and(|(_, given)| matches!(given, Given::Text(mode) if mode == "r"))
    }

    /// Whether the database is on a disk of the tests.
    pub fn is_on_test_disk(&self) -> bool {
        #[cfg(feature = "faults")]
        return self.0.iter().any(|(name, _)| name == lightning_db_bindings::faults::OPTION);
        #[cfg(not(feature = "faults"))]
        false
    }

    /// Refuses options that would change those in force, which are given as `self`.
    pub fn check_compatible(&self, other: &Options) -> Result<()> {
        for (name, given) in &other.0 {
            let (mut before, mut after) = (Opening::new(), Opening::new());
            self.apply(&mut before)?;
            self.apply(&mut after)?;
            after.set(name, given.value())?;
            // A configuration cannot be compared, but it prints all of itself. The mode has done its work.
            if name != "mode" && format!("{before:?}") != format!("{after:?}") {
                return Err(Error::invalid(format!(
                    "option {name}: the database is open in this process with another value"
                )));
            }
        }
        Ok(())
    }
}

/// A level by its name, or the default one. Only a string names a level.
pub fn level_of(env: Env, value: Value) -> Outcome<Option<ConsistencyLevel>> {
    match env.is_nothing(value)? {
        true => Ok(None),
        false => Ok(Some(level(&env.string_of(value, "consistency is a string")?)?)),
    }
}

/// When a write that waits at most so many milliseconds has waited enough; never if there is no number, or an infinite one.
pub fn deadline_of(env: Env, timeout: Value) -> Outcome<Option<Instant>> {
    if env.is_nothing(timeout)? {
        return Ok(None);
    }
    let timeout = env.number_of(timeout)?;
    // What is too far away to be told never comes.
    Ok(Instant::now().checked_add(patience(timeout / 1000.0)?))
}

/// An isolation by its name; serializable if there is none.
pub fn isolation_of(env: Env, value: Value) -> Outcome<Isolation> {
    match env.is_nothing(value)? {
        true => Ok(Isolation::Serializable),
        false => Ok(isolation(&env.string_of(value, "isolation is a string")?)?),
    }
}

/// The limit of a scan; none if it is left out or infinite.
pub fn limit_of(env: Env, value: Value) -> Outcome<Option<usize>> {
    if env.is_nothing(value)? {
        return Ok(None);
    }
    match env.number_of(value)? {
        f64::INFINITY => Ok(None),
        count => match number(count) {
            OptionValue::Integer(count) => Ok(Some(usize::try_from(count).unwrap_or(usize::MAX))),
            _ => {
                Err(Error::invalid(format!("limit is {count}: a whole number from 0 on is expected")).into())
            }
        },
    }
}
