//! Reads of single keys and of many.

use std::rc::Rc;

use lightning_db_bindings::{Error, Lookup, Result};
use napi_sys::TypedarrayType;

use crate::bytes::Room;
use crate::context::Context;
use crate::db::{Fixed, Handle};
use crate::env::{Env, Failure, Outcome, Value};
use crate::function::define as define_function;
use crate::jobs;

/// What a read of memory says when the answer is not there.
pub const NOT_CACHED: i32 = -1;
/// Length that stands for an absent key among many.
pub const ABSENT: u32 = u32::MAX;

/// The functions of a handle.
pub fn define(env: Env, object: Value, handle: &Rc<Handle>) -> Outcome<()> {
    define_function(env, object, "get", handle, get::<false, false>)?;
    define_function(env, object, "getText", handle, get::<false, true>)?;
    define_function(env, object, "getCached", handle, get::<true, false>)?;
    define_function(env, object, "getTextCached", handle, get::<true, true>)?;
    define_function(env, object, "getAsync", handle, get_async)?;
    define_function(env, object, "has", handle, has::<false>)?;
    define_function(env, object, "hasCached", handle, has::<true>)?;
    define_function(env, object, "hasAsync", handle, has_async)?;
    define_function(env, object, "getMany", handle, get_many::<false>)?;
    define_function(env, object, "getManyCached", handle, get_many::<true>)?;
    define_function(env, object, "getManyAsync", handle, get_many_async)
}

/// `get(key, target)`: the value as text, its length if it is in the slab now, or a `Buffer`; `undefined`, or -1 if it is
/// not in memory and `CACHED`.
fn get<const CACHED: bool, const TEXT: bool>(
    handle: &Rc<Handle>,
    env: Env,
    [key, target]: [Value; 2],
) -> Outcome {
    let mut room = Room::new();
    let key = env.bytes_of(key, &mut room)?;
    let target = env.number_of(target)?;
    let context = &*handle.context;
    let found = handle.read::<CACHED, _>(target, key, |value| match TEXT {
        true => env.text(value),
        false => match context.place(value) {
            Some(_) => env.integer(value.len() as i32),
            None => env.buffer(value),
        },
    })?;
    match found {
        Lookup::Found(value) => value,
        Lookup::Absent => Ok(env.nothing()),
        Lookup::NotCached => env.integer(NOT_CACHED),
    }
}

/// `getAsync(ticket, key, target, text)`: the value as text or as a `Buffer`.
fn get_async(handle: &Rc<Handle>, env: Env, [ticket, key, target, text]: [Value; 4]) -> Outcome {
    let mut room = Room::new();
    let key = env.bytes_of(key, &mut room)?.to_vec();
    let target = handle.target(env.number_of(target)?)?;
    let text = env.boolean_of(text)?;
    jobs::read(&handle.context, env.number_of(ticket)?, move || {
        let value = target.get_copy(&key)?;
        Ok(value
            .map(|value| -> crate::delivery::Convert { Box::new(move |context| own(context, &value, text)) }))
    })?;
    Ok(env.nothing())
}

/// `has(key, target)`: 1 if the key is present, 0 if not, or -1 if that is not in memory and `CACHED`.
fn has<const CACHED: bool>(handle: &Rc<Handle>, env: Env, [key, target]: [Value; 2]) -> Outcome {
    let mut room = Room::new();
    let key = env.bytes_of(key, &mut room)?;
    let found = handle.read::<CACHED, _>(env.number_of(target)?, key, |_| ())?;
    env.integer(match found {
        Lookup::Found(()) => 1,
        Lookup::Absent => 0,
        Lookup::NotCached => NOT_CACHED,
    })
}

/// `hasAsync(ticket, key, target)`: whether the key is present.
fn has_async(handle: &Rc<Handle>, env: Env, [ticket, key, target]: [Value; 3]) -> Outcome {
    let mut room = Room::new();
    let key = env.bytes_of(key, &mut room)?.to_vec();
    let target = handle.target(env.number_of(target)?)?;
    jobs::read(&handle.context, env.number_of(ticket)?, move || {
        let present = target.contains(&key)?;
        Ok(Some(Box::new(move |context: &Rc<Context>| context.env.boolean(present))))
    })?;
    Ok(env.nothing())
}

fn own(context: &Rc<Context>, value: &[u8], text: bool) -> Outcome {
    match text {
        true => context.env.text(value),
        false => context.env.buffer(value),
    }
}

/// Values of many keys, one behind the other.
#[derive(Default)]
struct Many {
    bytes: Vec<u8>,
    lengths: Vec<u32>,
}

/// `getMany(keys, length, lengths, target)`: keys packed as `length u32 | bytes`. The values, one behind the other, in the
/// slab from the number on that is returned, or in a `Buffer`; their lengths in `lengths` (2^32 - 1: absent). -1 if one
/// is not in memory and `CACHED`.
fn get_many<const CACHED: bool>(
    handle: &Rc<Handle>,
    env: Env,
    [keys, length, lengths, target]: [Value; 4],
) -> Outcome {
    let keys = bytes_in(env, keys, length)?;
    let target = handle.target(env.number_of(target)?)?.fixed()?;
    let Some(many) = read_many::<CACHED>(&target, &keys)? else { return env.integer(NOT_CACHED) };
    write_lengths(env, lengths, &many.lengths)?;
    match handle.context.place(&many.bytes) {
        Some(start) => env.integer(start as i32),
        None => env.buffer(&many.bytes),
    }
}

/// `getManyAsync(ticket, keys, length, target)`: lengths and values, as two `Buffer`s.
fn get_many_async(handle: &Rc<Handle>, env: Env, [ticket, keys, length, target]: [Value; 4]) -> Outcome {
    let keys = bytes_in(env, keys, length)?;
    let target = handle.target(env.number_of(target)?)?.fixed()?;
    jobs::read(&handle.context, env.number_of(ticket)?, move || {
        let many = read_many::<false>(&target, &keys)?.unwrap_or_default();
        Ok(Some(Box::new(move |context: &Rc<Context>| {
            let lengths: Vec<u8> = many.lengths.iter().flat_map(|length| length.to_ne_bytes()).collect();
            context.env.array(&[context.env.buffer(&lengths)?, context.env.buffer(&many.bytes)?])
        })))
    })?;
    Ok(env.nothing())
}

/// `None` if one is not in memory.
fn read_many<const CACHED: bool>(target: &Fixed, mut keys: &[u8]) -> Result<Option<Many>> {
    let mut many = Many::default();
    while !keys.is_empty() {
        let key = first_item(&mut keys).ok_or_else(|| Error::invalid("cut packed keys"))?;
        let start = many.bytes.len();
        let found = target.look::<CACHED>(key, |value| many.bytes.extend_from_slice(value))?;
        many.lengths.push(match found {
            Lookup::Found(()) => (many.bytes.len() - start) as u32,
            Lookup::Absent => ABSENT,
            Lookup::NotCached => return Ok(None),
        });
    }
    Ok(Some(many))
}

/// Takes the first of items packed as `length u32 | bytes`.
pub fn first_item<'a>(keys: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = keys.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *keys = rest;
    Some(key)
}

/// A copy of the first bytes of a buffer of JavaScript.
#[allow(unsafe_code, reason = "the memory is JavaScript's")]
pub fn bytes_in(env: Env, buffer: Value, length: Value) -> Outcome<Vec<u8>> {
    let (data, len) = env.view(buffer, TypedarrayType::uint8_array, "a Uint8Array is expected")?;
    let wanted = env.number_of(length)? as usize;
    if wanted > len {
        return Err(Failure::Type("a longer Uint8Array is expected"));
    }
    // SAFETY: the array has so many bytes there, and no JavaScript runs before they are copied.
    Ok(unsafe { crate::env::slice(data, wanted) }.to_vec())
}

#[allow(unsafe_code, reason = "the memory is JavaScript's")]
fn write_lengths(env: Env, array: Value, lengths: &[u32]) -> Outcome<()> {
    let (data, len) = env.view(array, TypedarrayType::uint32_array, "a Uint32Array is expected")?;
    if lengths.len() > len {
        return Err(Failure::Type("a longer Uint32Array is expected"));
    }
    // SAFETY: the array has room for so many numbers, at a multiple of 4, and this thread alone uses it.
    unsafe { std::ptr::copy_nonoverlapping(lengths.as_ptr(), data.cast(), lengths.len()) };
    Ok(())
}
