//! Who lives where: invented households as plain data, for whoever fills a registry with them.
//! Every name, street and number is made up; no operator in China assigns mobile numbers that begin with 154.

use super::device::{self, Dialect, Model};
use super::dice::Dice;
use serde::Serialize;

/// One invented household.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FleetHome {
    /// `h0001`; the first level of its devices' friendly names.
    pub id: String,
    pub site: String,
    /// Residential community (社区).
    pub community: String,
    pub block: String,
    pub floor: String,
    /// The whole address with the door number.
    pub address: String,
    pub residents: Vec<FleetResident>,
    pub contacts: Vec<FleetContact>,
    /// Who holds a key: name and phone.
    pub keyholder: String,
    pub keyholder_phone: String,
    pub devices: Vec<FleetDevice>,
}

/// One invented occupant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FleetResident {
    pub name: String,
    pub phone: String,
    pub birth_year: u16,
    /// walks, stick, walker, wheelchair
    pub mobility: &'static str,
    pub hard_of_hearing: bool,
}

/// One invented relative or neighbour.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FleetContact {
    pub name: String,
    pub phone: String,
    pub relation: &'static str,
}

/// One device of a household, as a registry wants it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FleetDevice {
    pub id: String,
    /// The name of the source it speaks through: `zigbee2mqtt` or `hearthwatch`.
    pub source: &'static str,
    /// `h0001/hall_motion`
    pub address: String,
    pub room: &'static str,
    pub model: &'static str,
    pub life: bool,
}

const SURNAMES: [&str; 24] = [
    "周", "吴", "郑", "冯", "陈", "褚", "卫", "蒋", "沈", "韩", "杨", "朱", "秦", "许", "何", "吕", "施", "孔", "曹",
    "严", "华", "金", "魏", "陶",
];
const WOMEN: [&str; 12] =
    ["桂英", "秀兰", "玉珍", "淑华", "凤英", "素芬", "月娥", "美琴", "惠芳", "兰芝", "春梅", "巧云"];
const MEN: [&str; 12] =
    ["国强", "德明", "建国", "福生", "永康", "志远", "长庚", "松柏", "世昌", "广林", "文清", "大川"];
const YOUNGER: [&str; 8] = ["晓燕", "伟", "丽娜", "军", "静", "海涛", "雪梅", "斌"];
const COMMUNITIES: [&str; 6] = ["翠竹社区", "听松社区", "望月社区", "杏林社区", "荷塘社区", "晚晴社区"];
const STREETS: [&str; 6] = ["枕霞路", "拾穗街", "问渠路", "归燕巷", "步云街", "知秋路"];

/// A mobile number in the range that nobody has.
fn phone(dice: &mut Dice) -> String {
    format!("154{:08}", dice.below(100_000_000))
}

/// The rooms' sensors by how densely a home is fitted out: everything, the usual, or hardly more than the door.
fn kit(dice: &mut Dice) -> Vec<(&'static str, &'static str, &'static Model)> {
    let button = dice.pick(&[&device::SOS_STATE, &device::SOS_ACTION, &device::SOS_KEYPAD]);
    let mut kit = vec![
        ("entrance_door", "entrance", &device::DOOR),
        ("sos_button", "bedroom", button),
        ("hall_motion", "hall", &device::MOTION),
    ];
    let density = dice.unit();
    if density > 0.15 {
        kit.push(("bathroom_motion", "bathroom", &device::MOTION));
        kit.push(("living_motion", "living_room", &device::MOTION));
    }
    if density > 0.5 {
        kit.push(("bedroom_motion", "bedroom", &device::MOTION));
        kit.push(("kitchen_motion", "kitchen", &device::MOTION));
    }
    let extras: [(f64, &'static str, &'static str, &'static Model); 5] = [
        (0.8, "kitchen_smoke", "kitchen", &device::SMOKE),
        (0.5, "kitchen_gas", "kitchen", &device::GAS),
        (0.25, "bedroom_co", "bedroom", &device::CO),
        (0.4, "bathroom_leak", "bathroom", &device::LEAK),
        (0.6, "bedroom_climate", "bedroom", &device::CLIMATE),
    ];
    kit.extend(extras.into_iter().filter(|(share, ..)| dice.chance(*share)).map(|(_, name, room, m)| (name, room, m)));
    kit
}

/// Invents household number `number` (from 1), and gives it with the models of its devices, in their order.
pub fn invent(number: u32, site: &str, dialect: Dialect, dice: &mut Dice) -> (FleetHome, Vec<&'static Model>) {
    let id = format!("h{number:04}");
    let community = dice.pick(&COMMUNITIES);
    let (block, floor) = (1 + dice.below(18), 1 + dice.below(6));
    let door = format!("{floor}0{}室", 1 + dice.below(4));
    let surname = dice.pick(&SURNAMES);
    let source = match dialect {
        Dialect::Zigbee2Mqtt => "zigbee2mqtt",
        Dialect::Own => "hearthwatch",
    };
    let (devices, models) = kit(dice)
        .into_iter()
        .map(|(name, room, model)| {
            let device = FleetDevice {
                id: format!("{id}-{name}"),
                source,
                address: format!("{id}/{name}"),
                room,
                model: model.name,
                life: model.life(),
            };
            (device, model)
        })
        .unzip();
    let neighbour = format!("{}{}", dice.pick(&SURNAMES), dice.pick(&WOMEN));
    let neighbour_phone = phone(dice);
    let child = FleetContact {
        name: format!("{surname}{}", dice.pick(&YOUNGER)),
        phone: phone(dice),
        relation: dice.pick(&["女儿", "儿子"]),
    };
    let home = FleetHome {
        site: site.to_owned(),
        community: community.to_owned(),
        block: format!("{block}幢"),
        floor: format!("{floor}层"),
        address: format!("望山市{community}{}{}号{block}幢{door}", dice.pick(&STREETS), 1 + dice.below(200)),
        residents: residents(surname, dice),
        contacts: vec![
            child,
            FleetContact { name: neighbour.clone(), phone: neighbour_phone.clone(), relation: "邻居" },
        ],
        keyholder: neighbour,
        keyholder_phone: neighbour_phone,
        devices,
        id,
    };
    (home, models)
}

/// One person, or in one home of five a couple.
fn residents(surname: &str, dice: &mut Dice) -> Vec<FleetResident> {
    let woman = dice.chance(0.65);
    let person = |surname: &str, woman: bool, dice: &mut Dice| FleetResident {
        name: format!("{surname}{}", dice.pick(if woman { &WOMEN } else { &MEN })),
        phone: phone(dice),
        birth_year: 1932 + dice.below(26) as u16,
        mobility: dice.pick(&["walks", "walks", "walks", "stick", "stick", "walker", "wheelchair"]),
        hard_of_hearing: dice.chance(0.3),
    };
    let mut residents = vec![person(surname, woman, dice)];
    if dice.chance(0.2) {
        let other = dice.pick(&SURNAMES);
        residents.push(person(other, !woman, dice));
    }
    residents
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_home_can_call_for_help_and_has_a_door() {
        for number in 1..200 {
            let (home, models) = invent(number, "zhonglou", Dialect::Zigbee2Mqtt, &mut Dice::new(5, number.into()));
            assert_eq!(home.devices.len(), models.len());
            assert!(home.devices.iter().any(|d| d.life && d.address == format!("{}/sos_button", home.id)));
            assert!(home.devices.iter().any(|d| d.room == "entrance"));
            assert!(home.residents.iter().all(|r| r.phone.starts_with("154") && r.phone.len() == 11));
            let ids: BTreeSet<_> = home.devices.iter().map(|d| &d.id).collect();
            assert_eq!(ids.len(), home.devices.len());
        }
    }
}
