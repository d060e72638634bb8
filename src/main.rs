use std::io;

fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("decode") => hearthwatch::wire::decode_command::decode_lines(io::stdin().lock(), io::stdout().lock()),
        _ => Ok(()),
    }
}
