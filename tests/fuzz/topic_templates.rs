//! Topic templates, and topics held against them.
#![no_main]
#![allow(dead_code)]

mod target;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (template, topic) = text.split_once('\n').unwrap_or((&text, "a/b/c"));
    target::template(template, topic);
});
