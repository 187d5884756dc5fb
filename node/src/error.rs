//! Errors of the engine as errors of JavaScript.

use std::error::Error as _;

use lightning_db_bindings::{Error, ErrorKind, raised};

use crate::context::Context;
use crate::env::{Env, Outcome, Value};

/// A `LightningDbError` with all that the error knows.
pub fn create(env: Env, error: &Error) -> Outcome {
    let undefined = env.undefined()?;
    let message = error.to_string();
    let file = match error.file() {
        Some(file) => env.text(file.to_string_lossy().as_bytes())?,
        None => undefined,
    };
    let offset = match error.offset() {
        Some(offset) => env.number(offset as f64)?,
        None => undefined,
    };
    let errno = match error.os_code() {
        Some(code) => env.integer(code)?,
        None => undefined,
    };
    let cause = match error.source() {
        Some(source) => env.text(source.to_string().as_bytes())?,
        None => undefined,
    };
    let number = env.integer(i32::from(error.code()))?;
    Context::of(env)?.create_error(&[number, env.text(message.as_bytes())?, file, offset, errno, cause])
}

/// Every kind: `[number, name, retryable]`.
pub fn kinds(env: Env) -> Outcome {
    let mut kinds = Vec::new();
    for kind in ErrorKind::ALL {
        let number = env.integer(i32::from(kind.code()))?;
        let (name, retryable) = (env.text(kind.name().as_bytes())?, env.boolean(kind.is_retryable())?);
        kinds.push(env.array(&[number, name, retryable])?);
    }
    env.array(&kinds)
}

/// Throws an error of a kind by its number, as the engine's are thrown; for tests.
pub fn raise(env: Env, number: Value) -> Outcome {
    Err(raised(env.number_of(number)? as u64).into())
}
