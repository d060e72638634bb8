//! The dialect that the target is named after.
#![no_main]

mod target;

use hearthwatch::engine::dialect::Dialect;
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use target::Target;

thread_local! {
    static TARGET: RefCell<Target> = RefCell::new(Target::new(dialect()));
}

fn dialect() -> Dialect {
    Dialect::parse(env!("CARGO_BIN_NAME")).expect("a target is named after its dialect")
}

fuzz_target!(|data: &[u8]| {
    let usual = dialect().usual_topics()[0].replace(['{', '}'], "");
    let (topic, payload) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (String::from_utf8_lossy(&data[..end]).into_owned(), &data[end + 1..]),
        None => (usual, data),
    };
    TARGET.with_borrow_mut(|target| target.hear(&topic, payload, false));
});
