//! A notice's link as it is sent to a phone, and what it must not show to whoever merely has it.

use super::house::{House, links};
use hearthwatch::engine::time::Wall;

/// What nobody sees who has not said who it is: of the home of the first alarm, and of the colleagues.
pub const PERSONAL: &[&str] = &[
    "乙单元",
    "2580#",
    "刘阿姨",
    "138 1234",
    "王建华",
    "137 6543",
    "儿子",
    "王丽",
    "136 0000",
    "2025-03-18",
    "敲门",
    "王秀英",
    "8888 0012",
    "1942",
    "stick",
    "高血压",
    "13900000000",
    "pbkdf2",
    "bedroom",
];

/// The token of a notice's link, which was made so long ago.
pub fn token(house: &House, notice: &str, channel: &str, ago_ms: i64) -> String {
    let issued = Wall(house.clock.read().1.0 - ago_ms);
    let link = links().link(&notice.parse().unwrap(), &channel.parse().unwrap(), issued).unwrap();
    link.strip_prefix("http://localhost/r#").unwrap().to_owned()
}
