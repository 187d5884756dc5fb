//! JavaScript functions bound to a thing in Rust, which they keep alive and reach without a look-up.
#![allow(unsafe_code, reason = "Node-API is a C interface")]

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;
use std::rc::Rc;

use lightning_db_bindings::{Error, ErrorKind, guard};
use napi_sys as sys;

use crate::env::{Env, Failure, Outcome, Value};
use crate::error;

/// Defines `object.name`, which calls `function` with `data` and its first `N` arguments (`undefined` where they are
/// left out). The function is an item or a closure that captures nothing.
pub fn define<T, F, const N: usize>(
    env: Env,
    object: Value,
    name: &str,
    data: &Rc<T>,
    function: F,
) -> Outcome<()>
where
    T: 'static,
    F: Fn(&Rc<T>, Env, [Value; N]) -> Outcome + Copy + 'static,
{
    const { assert!(size_of::<F>() == 0, "a function that captures nothing") };
    let _ = function;
    let data = Rc::into_raw(Rc::clone(data)).cast_mut().cast::<c_void>();
    let mut value = ptr::null_mut();
    // SAFETY: the name is alive; the data lives until the finalizer runs.
    let status = unsafe {
        let (text, len) = (name.as_ptr().cast(), name.len() as isize);
        match sys::napi_create_function(env.raw(), text, len, Some(enter::<T, F, N>), data, &mut value) {
            sys::Status::napi_ok => sys::napi_add_finalizer(
                env.raw(),
                value,
                data,
                Some(forget::<T>),
                ptr::null_mut(),
                ptr::null_mut(),
            ),
            status => status,
        }
    };
    if status != sys::Status::napi_ok {
        // SAFETY: the finalizer was not added, so this is the only one to let go. The function is given to nobody.
        drop(unsafe { Rc::from_raw(data.cast_const().cast::<T>()) });
        return Err(Error::new(ErrorKind::Internal, format!("no function {name}: status {status}")).into());
    }
    env.set(object, name, value)
}

/// # Safety
/// Called by Node-API for a function of [`define`] with these parameters.
unsafe extern "C" fn enter<T, F, const N: usize>(env: sys::napi_env, info: sys::napi_callback_info) -> Value
where
    F: Fn(&Rc<T>, Env, [Value; N]) -> Outcome + Copy,
{
    let (mut arguments, mut count, mut data) = ([ptr::null_mut(); N], N, ptr::null_mut());
    // SAFETY: Node-API gives a live environment of this thread; there is room for `count` arguments.
    let env = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), ptr::null_mut(), &mut data);
        Env::new(env)
    };
    // SAFETY: `define` gave this pointer, and the function that is being called keeps it alive.
    let data = ManuallyDrop::new(unsafe { Rc::from_raw(data.cast_const().cast::<T>()) });
    // SAFETY: a value without size has no bytes, and `define` was given one.
    let function = unsafe { ptr::NonNull::<F>::dangling().as_ptr().read() };
    match guard(|| Ok(function(&data, env, arguments))) {
        Ok(Ok(value)) => value,
        Ok(Err(failure)) => thrown(env, failure),
        Err(panic) => thrown(env, Failure::Engine(panic)),
    }
}

#[cold]
fn thrown(env: Env, failure: Failure) -> Value {
    match failure {
        Failure::Engine(error) => match error::create(env, &error) {
            Ok(error) => env.throw(error),
            Err(Failure::Type(message)) => env.throw_type_error(message),
            Err(Failure::Engine(_) | Failure::Pending) => {}
        },
        Failure::Type(message) => env.throw_type_error(message),
        Failure::Pending => {}
    }
    ptr::null_mut()
}

/// # Safety
/// Called by Node-API once, for data of [`define`].
unsafe extern "C" fn forget<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the function is gone, and its share with it.
    let share = unsafe { Rc::from_raw(data.cast_const().cast::<T>()) };
    let _ = guard(|| {
        drop(share);
        Ok(())
    });
}
