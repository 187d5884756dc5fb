//! The Node face: what the JavaScript in `src-ts` calls. It checks types and bounds of what it is given, and trusts that
//! script with the memory that the two share; users do not get at these functions.
//!
//! Every function is a raw one of Node-API, bound to its handle. Results of other threads arrive through
//! [`delivery`]; commits have a thread for each engine, reads of the disk and long work have threads for the process.

mod batch;
mod bytes;
mod commits;
mod context;
mod cursor;
mod db;
mod delivery;
mod env;
mod error;
mod function;
mod ingest;
mod jobs;
mod keyspaces;
mod options;
mod page;
mod pool;
mod reads;
mod registry;
mod report;
mod slots;
mod task;
mod txn;

use lightning_db_bindings::{
    MAX_KEY_LEN, MAX_VALUE_LEN, MemoryStats, Metrics, OPTIONS, VERSION, guard, packed,
};

use context::{Context, SLAB_ITEM_LEN, form, word};
use env::{Env, Outcome, Value};
use function::define;

/// Fills the exports of the library: called by Node in each thread that loads it.
///
/// # Safety
/// `env` and `exports` are those that Node gives to a library at its start.
#[allow(unsafe_code, reason = "the entry that Node looks for")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn napi_register_module_v1(env: napi_sys::napi_env, exports: Value) -> Value {
    // SAFETY: as the caller says.
    let env = unsafe { Env::new(env) };
    let outcome = guard(|| {
        #[cfg(target_env = "msvc")]
        // SAFETY: once for the process is enough, and more often is no harm; the library is Node itself.
        std::mem::forget(unsafe { napi_sys::setup() });
        Ok(export(env, exports))
    });
    if !matches!(outcome, Ok(Ok(()))) {
        env.throw_type_error("Lightning DB could not be set up");
    }
    exports
}

fn export(env: Env, exports: Value) -> Outcome<()> {
    let context = Context::start(env)?;
    env.set(exports, "version", env.text(VERSION.as_bytes())?)?;
    env.set(exports, "kinds", error::kinds(env)?)?;
    env.set(exports, "options", options(env)?)?;
    env.set(exports, "figures", figures(env)?)?;
    env.set(exports, "wire", wire(env)?)?;
    for (name, number) in [
        ("maxKeyLength", MAX_KEY_LEN),
        ("maxValueLength", MAX_VALUE_LEN),
        ("slabItemLength", SLAB_ITEM_LEN),
        ("words", word::TOTAL),
    ] {
        env.set(exports, name, env.number(number as f64)?)?;
    }
    define(env, exports, "setUp", &context, |context, env, values| {
        context.set_up(env, values)?;
        Ok(env.nothing())
    })?;
    define(env, exports, "setSlab", &context, |context, env, [slab]| {
        context.set_slab(env, slab)?;
        Ok(env.nothing())
    })?;
    // An empty call, to measure what the way here costs.
    define(env, exports, "nothing", &context, |_, env, []| Ok(env.nothing()))?;
    define(env, exports, "raise", &context, |_, env, [number]| error::raise(env, number))?;
    #[cfg(feature = "faults")]
    define(env, exports, "testDisk", &context, |_, env, [name, command]| {
        let name = env.string_of(name, "the name of a disk is a string")?;
        let command = env.string_of(command, "a command is a string")?;
        env.number(lightning_db_bindings::faults::command(&name, &command)? as f64)
    })?;
    jobs::define_free(env, exports, &context)
}

/// Numbers that both sides know, for the generator of the script's constants: groups of names with their numbers.
fn wire(env: Env) -> Outcome {
    let groups: [(&str, Vec<(&str, f64)>); 5] = [
        ("Word", word::NAMED.map(|(name, place)| (name, place as f64)).to_vec()),
        ("Form", form::NAMED.map(|(name, bit)| (name, f64::from(bit))).to_vec()),
        ("Found", vec![("NotCached", f64::from(reads::NOT_CACHED)), ("Absent", f64::from(reads::ABSENT))]),
        ("Target", vec![("Database", 0.0), ("Foreign", slots::FOREIGN)]),
        (
            "Packing",
            vec![
                ("HeaderLength", packed::HEADER_LEN as f64),
                ("Put", f64::from(packed::PUT)),
                ("Delete", f64::from(packed::DELETE)),
                ("Choose", f64::from(packed::CHOOSE)),
            ],
        ),
    ];
    let wire = env.object()?;
    for (name, numbers) in groups {
        let group = env.object()?;
        for (name, number) in numbers {
            env.set(group, name, env.number(number)?)?;
        }
        env.set(wire, name, group)?;
    }
    Ok(wire)
}

/// The figures, by what they are figures of: `[name, what it says]`.
fn figures(env: Env) -> Outcome {
    let list = |meanings: &mut dyn Iterator<Item = (&'static str, &'static str)>| {
        let figure =
            |(name, text): (&str, &str)| env.array(&[env.text(name.as_bytes())?, env.text(text.as_bytes())?]);
        env.array(&meanings.map(figure).collect::<Outcome<Vec<_>>>()?)
    };
    let object = env.object()?;
    env.set(object, "Metrics", list(&mut Metrics::meanings())?)?;
    env.set(object, "MemoryStats", list(&mut MemoryStats::meanings())?)?;
    Ok(object)
}

/// Every option: `[name, what it takes, what there is to say of it]`.
fn options(env: Env) -> Outcome {
    let mut options = Vec::new();
    for option in OPTIONS {
        options.push(env.array(&[
            env.text(option.name.as_bytes())?,
            env.text(option.takes.as_bytes())?,
            env.text(option.about().as_bytes())?,
        ])?);
    }
    env.array(&options)
}
