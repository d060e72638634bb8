mod channels;
mod rotas;

use super::*;
use crate::config::pin;
use crate::engine::id::*;
use crate::engine::policy::RulesPatch;
use crate::engine::registry::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Seals by writing the subject before the data, and can destroy keys.
#[derive(Default)]
struct Paper {
    destroyed: BTreeSet<String>,
}

impl Vault for Paper {
    fn seal<T: Serialize>(&self, subject: &str, plain: &T) -> Result<Sealed<T>, String> {
        let text = format!("{subject}|{}", serde_json::to_string(plain).unwrap());
        Ok(Sealed::from_bytes(text.into_bytes()))
    }

    fn open<T: DeserializeOwned>(&self, subject: &str, sealed: &Sealed<T>) -> Result<Option<T>, String> {
        let text = std::str::from_utf8(sealed.as_bytes()).unwrap();
        match text.split_once('|') {
            _ if self.destroyed.contains(subject) => Ok(None),
            Some((found, json)) if found == subject => Ok(Some(serde_json::from_str(json).unwrap())),
            _ => Err("sealed for somebody else".into()),
        }
    }
}

fn config() -> Config {
    let text = "
        [mqtt]
        url = 'mqtt://h'
        [site.a]
        timezone = 'Asia/Shanghai'
        [site.b]
        timezone = 'Asia/Shanghai'
        [source.za]
        site = 'a'
        dialect = 'zigbee2mqtt'
        [source.zb]
        site = 'b'
        dialect = 'hearthwatch'
    ";
    Config::parse("c", text).unwrap()
}

fn file(name: &str, text: &str) -> File {
    File { name: name.into(), bytes: text.as_bytes().to_vec() }
}

/// The district that the tests begin with.
const BASE: &str = "
[[channel]]
id = 'desk'
site = 'a'
url = 'https://x/desk'
secret = 'file:desk'
medium = 'voice'
[[responder]]
id = 'op'
site = 'a'
channels = ['desk']
name = 'Duty desk'
[[ladder]]
id = 'life'
site = 'a'
repeat_s = 120
rung = [{ name = 'operator', to = ['op'], wait_s = 60 }]
[[home]]
id = 'h1'
site = 'a'
block = '3'
address = 'Main Street 1'
gate_code = '1234#'
[[resident]]
id = 'r1'
home = 'h1'
name = 'Wang'
phone = '555'
[[device]]
id = 'd1'
home = 'h1'
source = 'za'
address = 'h1/sos'
";

fn plan(files: &[File], registry: &Registry) -> Result<Import, Vec<Mistake>> {
    plan_import(files, &[registry], &config(), &Paper::default())
}

/// What the registry becomes; all sites together.
fn done(files: &[File], registry: &Registry) -> Registry {
    let import = plan(files, registry).unwrap_or_else(|found| panic!("{}", told(&found)));
    let mut registry = registry.clone();
    import.seal(&Paper::default()).unwrap().into_values().flatten().for_each(|entity| registry.put(entity));
    registry
}

fn base() -> Registry {
    done(&[file("base.toml", BASE)], &Registry::default())
}

fn told(found: &[Mistake]) -> String {
    found.iter().map(|m| format!("{m}\n")).collect()
}

fn refused(files: &[File], registry: &Registry) -> String {
    plan(files, registry).err().map(|found| told(&found)).unwrap_or_default()
}

#[test]
fn a_home_names_its_caseworker_and_a_rung_the_homes_own() {
    let rung = "rung = [{ name = 'own', to = ['caseworker'], wait_s = 60 }, { name = 'op', to = ['op'], wait_s = 60 }]";
    let ladder = format!("[[ladder]]\nid = 'visits'\nsite = 'a'\nrepeat_s = 600\n{rung}\n");
    let registry = done(&[file("l.toml", &ladder), file("h.csv", "户号,责任社工\nh1,op\n")], &base());
    assert_eq!(registry.homes["h1"].caseworker, Some("op".parse().unwrap()));
    let kept = done(&[file("h.csv", "id,block\nh1,4\n")], &registry);
    assert_eq!(kept.homes["h1"].caseworker, Some("op".parse().unwrap()), "what a row leaves out stays");
    let gone = done(&[file("h.csv", "id,网格员\nh1,\n")], &registry);
    assert_eq!(gone.homes["h1"].caseworker, None);
    let wrong = refused(&[file("h.csv", "id,caseworker\nh1,opp\n")], &base());
    assert_eq!(wrong, "h.csv:2: column caseworker: names no responder with \"opp\"; did you mean op?\n");
    // The word alone, of whom a home need have none, is nobody for the last rung.
    let last = ladder.replace(", { name = 'op', to = ['op'], wait_s = 60 }", "");
    assert!(refused(&[file("l.toml", &last)], &base()).contains("reaches nobody"));
}

#[test]
fn a_district_is_entered_and_sealed() {
    let registry = base();
    let home = &registry.homes["h1"];
    assert_eq!(home.block.as_deref(), Some("3"));
    let details = Paper::default().open("h1", home.details.as_ref().unwrap()).unwrap().unwrap();
    assert_eq!((details.address.as_str(), details.gate_code.as_str()), ("Main Street 1", "1234#"));
    let resident = Paper::default().open("h1", &registry.residents["r1"].details).unwrap().unwrap();
    assert_eq!(resident.name, "Wang");
    let operator = Paper::default().open("responder:op", &registry.responders["op"].details).unwrap().unwrap();
    assert_eq!(operator.name, "Duty desk");
    assert_eq!(registry.channels["desk"].slots, 8);
}

#[test]
fn a_table_changes_what_it_names_and_nothing_else() {
    let table = file("homes.csv", "\u{feff}户号,楼栋,详细地址,破门授权,状态\nh1,4幢,翠竹 401,2026/3/1,暂停\n");
    let import = plan(std::slice::from_ref(&table), &base()).unwrap();
    let expected = "\
changed  home h1: block \"3\" -> \"4幢\"; status \"active\" -> \"paused\"; address changed; forced_entry_consent changed
0 added, 1 changed, 0 unchanged";
    assert_eq!(import.difference.to_string(), expected);
    let home = &done(&[table], &base()).homes["h1"];
    let details = Paper::default().open("h1", home.details.as_ref().unwrap()).unwrap().unwrap();
    assert_eq!(details.address, "翠竹 401");
    assert_eq!(details.gate_code, "1234#", "a column that is not there leaves what was");
    assert_eq!(details.forced_entry_consent, "2026-03-01");
}

#[test]
fn an_empty_cell_empties_and_the_same_is_no_change() {
    let emptied = done(&[file("h.csv", "id;block;gate_code\nh1;;\n")], &base());
    assert_eq!(emptied.homes["h1"].block, None);
    let import = plan(&[file("base.toml", BASE)], &base()).unwrap();
    assert!(import.difference.is_empty(), "{}", import.difference);
    assert_eq!(import.difference.unchanged.values().sum::<usize>(), 6);
    assert!(import.seal(&Paper::default()).unwrap().is_empty(), "what is unchanged is not written again");
}

#[test]
fn a_pin_is_taken_and_never_given() {
    let pin = |registry: &Registry| {
        Paper::default().open("responder:op", &registry.responders["op"].details).unwrap().unwrap().pin
    };
    let set = done(&[file("r.csv", "id,channels,pin\nop,desk,2580\n")], &base());
    assert!(pin::fits("2580", &pin(&set)));
    let text = export(&[&set], &Paper::default()).unwrap();
    assert!(!text.contains("pin") && !text.contains("pbkdf2"), "{text}");
    // It stays where a table says nothing of it, and where it is the same.
    for table in
        ["id,channels,name\nop,desk,Duty desk\n", "id,channels,pin\nop,desk,\n", "id,channels,pin\nop,desk,2580\n"]
    {
        let import = plan(&[file("r.csv", table)], &set).unwrap();
        assert!(import.difference.is_empty(), "{table}: {}", import.difference);
    }
    let import = plan(&[file("r.csv", "id,channels,pin\nop,desk,9081\n")], &set).unwrap();
    assert_eq!(import.difference.changed[0].1, ["pin changed"], "and not to what");
    let gone = plan(&[file("r.csv", "id,channels,pin\nop,desk,-\n")], &set).unwrap();
    assert_eq!(gone.difference.changed[0].1, ["pin changed"]);
    assert_eq!(pin(&done(&[file("r.csv", "id,channels,pin\nop,desk,-\n")], &set)), "");
    for wrong in ["123", "1234", "98-76", "2580258025"] {
        let told = refused(&[file("r.csv", &format!("id,channels,pin\nop,desk,{wrong}\n"))], &set);
        assert!(told.contains("pin") && told.contains("4 to 8 digits") && !told.contains(wrong), "{told}");
    }
    let told = refused(&[file("r.toml", "[[responder]]\nid = 'op'\npin = 9081\n")], &set);
    assert!(told.contains("put it in quotes") && !told.contains("9081"), "{told}");
}

#[test]
fn json_is_read_like_toml() {
    let json = r#"{"home":[{"id":"h2","site":"a","dog":true,"plan":null}],"resident":{"id":"r2","home":"h2","birth_year":1940}}"#;
    let registry = done(&[file("x.json", json)], &base());
    let details = Paper::default().open("h2", &registry.residents["r2"].details).unwrap().unwrap();
    assert_eq!(details.birth_year, Some(1940));
    assert!(
        refused(&[file("x.json", "{\n \"home\": [\n }")], &base()).starts_with("x.json:3: is no JSON from column 2 on")
    );
    assert!(refused(&[file("x.json", "[]")], &base()).contains("is no JSON object"));
}

#[test]
fn a_table_may_be_as_chinese_spreadsheets_save_it() {
    let text = "户号,楼栋,详细地址,状态\nh1,4幢,翠竹新村 401,暂停\n";
    let (gbk, ..) = encoding_rs::GBK.encode(text);
    let utf16 = [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat();
    for bytes in [gbk.to_vec(), utf16, text.as_bytes().to_vec()] {
        let guessed = bytes == *gbk;
        let table = File { name: "homes.csv".into(), bytes };
        let warnings = plan(std::slice::from_ref(&table), &base()).unwrap().warnings;
        assert_eq!(warnings.iter().any(|w| w.contains("read as GBK")), guessed, "{warnings:?}");
        let registry = done(&[table], &base());
        let home = &registry.homes["h1"];
        assert_eq!((home.block.as_deref(), home.status), (Some("4幢"), Status::Paused));
    }
}

#[test]
fn a_table_that_reads_as_two_things_is_taken_as_neither() {
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let utf8 = |text: &str| text.as_bytes().to_vec();
    let mark = |text: &str| utf8(&format!("\u{feff}{text}"));
    let row = |block: &str| format!("id,block\nh1,{block}\n");
    // What is told of it, or what the block is read as.
    let table = [
        ("homes.csv", gbk(&row("2楼")), Err("\"¥\" in UTF-8 and \"楼\" in GBK")),
        ("homes.csv", gbk(&row("锚")), Err("\"ê\" in UTF-8 and \"锚\" in GBK")),
        ("homes.csv", gbk(&row("摹")), Err("\"ġ\" in UTF-8 and \"摹\" in GBK")),
        ("homes.csv", utf8(&row("café")), Err("\"é\" in UTF-8 and \"茅\" in GBK")),
        ("HOMES.CSV", utf8(&row("подъезд 2")), Err("\"подъез\" in UTF-8")),
        ("homes.csv", mark(&row("café")), Ok("café")),
        ("homes.csv", mark(&row("2楼")), Ok("2楼")),
        ("homes.csv", utf8(&row("2楼")), Ok("2楼")),
        ("homes.csv", utf8(&row("2楼 café")), Ok("2楼 café")),
        ("homes.csv", gbk(&row("4幢")), Ok("4幢")),
        ("homes.csv", gbk(&row("翠竹2楼")), Ok("翠竹2楼")),
        ("homes.csv", utf8(&row("2")), Ok("2")),
        ("homes.toml", utf8("[[home]]\nid = 'h1'\nblock = 'café'\n"), Ok("café")),
        ("homes.json", utf8(r#"{"home":[{"id":"h1","block":"café"}]}"#), Ok("café")),
    ];
    for (name, bytes, expected) in table {
        let files = [File { name: name.into(), bytes }];
        match expected {
            Ok(block) => assert_eq!(done(&files, &base()).homes["h1"].block.as_deref(), Some(block), "{name}"),
            Err(what) => {
                let found = refused(&files, &base());
                assert!(found.contains(what) && found.contains("with a byte order mark"), "{what} is not in {found}");
            }
        }
    }
}

#[test]
fn the_templates_have_every_column_and_no_other() {
    let templates = [
        ("home", include_str!("../../config/templates/homes.csv"), include_str!("../../config/templates/住户.csv")),
        (
            "resident",
            include_str!("../../config/templates/residents.csv"),
            include_str!("../../config/templates/人员.csv"),
        ),
        ("device", include_str!("../../config/templates/devices.csv"), include_str!("../../config/templates/设备.csv")),
        (
            "responder",
            include_str!("../../config/templates/responders.csv"),
            include_str!("../../config/templates/响应人.csv"),
        ),
    ];
    for (word, english, chinese) in templates {
        for text in [english, chinese] {
            let line = text.trim_start_matches('\u{feff}').trim_end();
            let headings: Vec<String> = line.split(',').map(str::to_owned).collect();
            let sort = columns::Sort::recognise(&headings).unwrap();
            let named: Option<Vec<_>> = headings.iter().map(|h| sort.column(h)).collect();
            let all: Vec<_> = sort.columns().iter().map(|(name, _)| *name).collect();
            assert_eq!((sort.word(), named), (word, Some(all)), "{line}");
        }
    }
}

#[test]
fn every_bad_row_is_told_and_nothing_is_changed() {
    let homes = "id,site,status,forced_entry_consent,dog\nh2,a,activ,,\nh3,c,,2026-02-30,\nh4,a,,,maybe\nh5,a\nh6,a,,,\nh6,a,,,\n,a,,,\n";
    let residents = "编号,户号,姓名,出生年份\nr2,h1,李,一九四零\n";
    let found = refused(&[file("homes.csv", homes), file("residents.csv", residents)], &base());
    let expected = "\
homes.csv:2: column status: may not be \"activ\"; did you mean active?
homes.csv:3: column forced_entry_consent: is no date; write YYYY-MM-DD
homes.csv:3: column site: names no site with \"c\"; did you mean a?
homes.csv:4: column dog: is neither yes nor no; write true or false
homes.csv:5: has 2 cells, but the header has 5; put texts with commas in quotes, and leave no cell out
homes.csv:7: column id: stands already at homes.csv:6; remove one of the two
homes.csv:8: column id: is empty; fill it or remove the key
residents.csv:2: column 出生年份: is a text, but must be a whole number; write a number of 1890 to 2100
";
    assert_eq!(found, expected);
}

#[test]
fn files_that_are_none() {
    let table = [
        (file("a.csv", "a,b\n1,2\n"), "a.csv:1: has a header of no known kind"),
        (file("a.csv", "id,home,nmae\n"), "a.csv:1: column nmae: is not known; did you mean name?"),
        (file("a.csv", "id,home,name,姓名\n"), "a.csv:1: column 姓名: is name once more"),
        (file("a.xlsx", ""), "a.xlsx: ends with none of"),
        (File { name: "a.csv".into(), bytes: vec![b'i', 0xff] }, "a.csv: is neither UTF-8 nor GBK"),
        (file("a.toml", "[[hmoe]]\nid='x'\n"), "a.toml:1: hmoe: is no kind of entry; did you mean home?"),
        (file("a.toml", "home = [1]\n"), "a.toml:1: home[1]: is no entry; begin each with [[home]]"),
        (
            file("a.toml", "[[home]]\nid='x'\nsite='a'\nflor='1'\n"),
            "a.toml:4: home[1].flor: is not known; did you mean floor?",
        ),
        (File { name: "a.csv".into(), bytes: vec![b' '; 16 * 1024 * 1024 + 1] }, "a.csv: is too large"),
    ];
    for (file, expected) in table {
        let found = refused(std::slice::from_ref(&file), &base());
        assert!(found.starts_with(expected), "{expected}\nis not\n{found}");
    }
}

#[test]
fn what_is_named_must_be_there() {
    let ladder = |rungs: &str| format!("[[ladder]]\nid='l'\nsite='a'\nrepeat_s=120\n{rungs}");
    let table = [
        (
            "[[resident]]\nid='r2'\nhome='h9'\n".to_owned(),
            "x.toml:3: resident[1].home: names no home with \"h9\"; did you mean h1?",
        ),
        (
            "[[home]]\nid='h2'\nsite='a'\nplan='p'\n".into(),
            "x.toml:4: home[1].plan: names no plan with \"p\"; correct it, or add the plan",
        ),
        (
            "[[home]]\nid='h2'\nsite='b'\n[home.ladder]\nlife='life'\n".into(),
            "ladder: names the ladder life, which belongs to site a, not b",
        ),
        ("[[home]]\nid='h2'\n".into(), "x.toml:1: home[1].site: is missing"),
        ("[[home]]\nid='h1'\nsite='b'\n".into(), "x.toml:3: home[1].site: moves it from a to b"),
        (
            "[[home]]\nid='h2'\nsite='b'\n[[resident]]\nid='r1'\nhome='h2'\n".into(),
            "resident[1].home: moves it from site a to b",
        ),
        (
            "[[device]]\nid='d2'\nhome='h1'\nsource='za'\naddress='h1/sos'\n".into(),
            "device[1].address: is the address of device d1 too",
        ),
        (
            "[[device]]\nid='d2'\nhome='h1'\nsource='zb'\naddress='x'\n".into(),
            "device[1].source: names source zb, which belongs to site b, not a",
        ),
        (
            "[[device]]\nid='d2'\nhome='h1'\nsource='z'\naddress='x'\n".into(),
            "device[1].source: names no source with \"z\"; did you mean za?",
        ),
        (
            "[[responder]]\nid='x'\nsite='a'\nchannels=['dsk']\n".into(),
            "channels: names no channel with \"dsk\"; did you mean desk?",
        ),
        (
            "[[responder]]\nid='op'\nchannels=[]\n".into(),
            "registry: ladder life: rung: ends with \"operator\", which reaches nobody",
        ),
        (ladder(""), "ladder[1].rung: has no rung"),
        (
            ladder("rung=[{name='n', to=['op'], wait_s=1},{name='last', to=[], wait_s=1}]\n"),
            "ends with \"last\", which reaches nobody",
        ),
        (ladder("rung=[{name='n', to=['nn'], wait_s=1}]\n"), "names no responder with \"nn\""),
        (
            ladder("rung=[{name='n', to=['op'], wait_s=0}]\n"),
            "ladder[1].rung[1].wait_s: is 0, but must lie in 1 to 86400",
        ),
        (
            ladder("rung=[{name='n', to=['op'], wait_s=1}]\n").replace("120", "9"),
            "repeat_s: is 9, but must lie in 10 to 86400",
        ),
        ("[[channel]]\nid='c'\nsite='a'\nurl='http://x'\nsecret='file:s'\n".into(), "channel[1].url: is not encrypted"),
        ("[[channel]]\nid='c'\nsite='a'\nurl='ftp://x'\nsecret='file:s'\n".into(), "channel[1].url: is no web address"),
        (
            "[[channel]]\nid='c'\nsite='a'\nurl='https://x'\nsecret='whsec_hush'\n".into(),
            "channel[1].secret: holds a secret in the open",
        ),
    ];
    for (text, expected) in table {
        let found = refused(&[file("x.toml", &text)], &base());
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
        assert!(!found.contains("hush"), "{found}");
    }
}

#[test]
fn a_model_has_one_profile_at_a_site() {
    let profile = |id: &str, site: &str, models: &str| {
        format!("[[profile]]\nid='{id}'\nsite='{site}'\nmodels=[{models}]\nproperty=[{{ name='state', kind='sos' }}]\n")
    };
    let both = profile("p1", "a", "'M1','M2'") + &profile("p2", "a", "'M2'");
    let expected = "x.toml:9: profile[2].models: lists M2, which profile p1 has too; \
                    remove it from one of the two, or name the profile with each device\n";
    assert_eq!(refused(&[file("x.toml", &both)], &base()), expected);
    let one = done(&[file("x.toml", &profile("p1", "a", "'M1','M2'"))], &base());
    let found = refused(&[file("x.toml", &profile("p2", "a", "'M2'"))], &one);
    assert!(found.contains("lists M2, which profile p1 has too"), "{found}");
    // A model may stand at two sites, and twice with one profile; a site may say another thing of it than what is built in.
    for sound in [profile("p2", "b", "'M2'"), profile("p2", "a", "'M3','M3'"), profile("p2", "a", "'HS1EB'")] {
        assert_eq!(refused(&[file("x.toml", &sound)], &one), "");
    }
    // What two have already does not stand in the way of others.
    let mut two = one;
    two.profiles.values().next().cloned().into_iter().for_each(|known| {
        let id = ProfileId::new("p9").unwrap();
        two.put(Entity::Profile(Profile { id, ..known }));
    });
    assert_eq!(refused(&[file("x.toml", "[[home]]\nid='h2'\nsite='a'\n")], &two), "");
}

#[test]
fn what_was_broken_before_does_not_stand_in_the_way() {
    let mut registry = base();
    registry.homes.clear();
    assert_eq!(refused(&[file("x.toml", "[[home]]\nid='h2'\nsite='a'\n")], &registry), "");
}

#[test]
fn ladders_that_nobody_climbs_are_told() {
    let import = plan(&[], &base()).unwrap();
    let warned = import.warnings.join("\n");
    assert!(
        warned.contains("site a: welfare alarms go by the ladder welfare, which the site does not have"),
        "{warned}"
    );
    assert!(warned.contains("site b: life alarms"), "{warned}");
    assert!(!warned.contains("site a: life"), "{warned}");
}

#[test]
fn an_erased_person_stays_erased() {
    let vault = Paper { destroyed: BTreeSet::from(["h1".to_owned()]) };
    let text = export(&[&base()], &vault).unwrap();
    assert!(!text.contains("Wang") && !text.contains("Main Street") && text.contains("Duty desk"), "{text}");
}

#[test]
fn personal_data_that_does_not_open_is_not_overwritten() {
    let mut registry = base();
    let strange = Paper::default().seal("h9", &HomeDetails::default()).unwrap();
    registry.homes.get_mut("h1").unwrap().details = Some(strange);
    let found = refused(&[file("x.csv", "id,floor\nh1,4\n")], &registry);
    assert!(found.contains("x.csv:2: column id: is of an entry whose personal data cannot be opened"), "{found}");
    assert!(export(&[&registry], &Paper::default()).is_err());
}

#[test]
fn the_examples_import_without_a_remark() {
    let config = Config::parse("c", include_str!("../../config/hearthwatch.toml")).unwrap();
    let files = [
        file("registry.toml", include_str!("../../config/examples/registry.toml")),
        file("homes.csv", include_str!("../../config/examples/homes.csv")),
        file("residents.csv", include_str!("../../config/examples/residents.csv")),
        file("devices.csv", include_str!("../../config/examples/devices.csv")),
    ];
    let import =
        plan_import(&files, &[], &config, &Paper::default()).unwrap_or_else(|found| panic!("{}", told(&found)));
    assert_eq!(import.warnings, Vec::<String>::new());
    assert_eq!(import.difference.added.len(), 9 + 5 + 1 + 3 + 3 + 3 + 4 + 6);
    let mut registry = Registry::default();
    import.seal(&Paper::default()).unwrap().into_values().flatten().for_each(|entity| registry.put(entity));
    let details = Paper::default().open("h0001", &registry.residents["r0001"].details).unwrap().unwrap();
    assert_eq!((details.mobility.as_str(), details.hard_of_hearing), ("walker", true));
}

fn word() -> impl Strategy<Value = String> {
    // What people write: any printable characters, quotes, line ends inside.
    "[\\PC\n]{0,12}".prop_map(|text| text.trim().to_owned())
}

fn patch() -> impl Strategy<Value = RulesPatch> {
    (proptest::option::of(1_800u32..172_800), proptest::option::of(10u32..600)).prop_map(|(cap, hold)| RulesPatch {
        inactivity_cap_s: cap,
        hold_s: hold,
        ..RulesPatch::default()
    })
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::Active), Just(Status::Paused), Just(Status::Left), Just(Status::Deceased)]
}

prop_compose! {
    fn home_and_resident()(
        text in proptest::collection::vec(word(), 8), flags in any::<[bool; 4]>(), rules in patch(), status in status(),
        ladder in any::<bool>(), year in proptest::option::of(1_890u16..2_100),
    ) -> (Home, HomeDetails, ResidentDetails) {
        let some = |text: &String| (!text.is_empty()).then(|| text.as_str().into());
        let mut home = Home {
            plan: flags[0].then(|| PlanId::new("p").unwrap()),
            status, rules, community: some(&text[0]), block: some(&text[1]),
            caseworker: flags[1].then(|| ResponderId::new("op").unwrap()),
            ..Home::new(HomeId::new("h").unwrap(), SiteId::new("a").unwrap())
        };
        if ladder {
            home.rules.ladder.insert("sos".into(), LadderId::new("life").unwrap());
        }
        let details = HomeDetails {
            address: text[2].clone(), notes: text[3].clone(), dog: flags[1], inner_bolt: flags[2],
            monitoring_consent: if flags[3] { "2026-03-01".into() } else { String::new() }, ..HomeDetails::default()
        };
        let resident = ResidentDetails {
            name: text[4].clone(), phone: text[5].clone(), diagnoses: text[6].clone(), birth_year: year, dementia: flags[3],
            mobility: if flags[0] { "bed".into() } else { String::new() }, ..ResidentDetails::default()
        };
        (home, details, resident)
    }
}

proptest! {
    #[test]
    fn what_is_exported_imports_back_to_the_same(
        homes in proptest::collection::vec(home_and_resident(), 0..4), rules in patch(),
        name in word(), room in word(), slots in 1u8..=64,
    ) {
        let vault = Paper::default();
        let mut registry = base();
        registry.channels.get_mut("desk").unwrap().slots = slots;
        registry.devices.get_mut("d1").unwrap().room = room.as_str().into();
        let operator = ResponderDetails { name, ..ResponderDetails::default() };
        registry.responders.get_mut("op").unwrap().details = vault.seal("responder:op", &operator).unwrap();
        registry.put(Entity::Plan(Plan { id: PlanId::new("p").unwrap(), site: SiteId::new("a").unwrap(), rules }));
        for (at, (mut home, details, resident)) in homes.into_iter().enumerate() {
            home.id = HomeId::new(&format!("h{at} \"'é")).unwrap();
            let empty = details == HomeDetails::default();
            home.details = (!empty).then(|| vault.seal(home.id.as_str(), &details).unwrap());
            let details = vault.seal(home.id.as_str(), &resident).unwrap();
            let id = ResidentId::new(&format!("r{at}")).unwrap();
            registry.put(Entity::Resident(Resident { id, home: home.id.clone(), details }));
            registry.put(Entity::Home(home));
        }
        let text = export(&[&registry], &vault).unwrap();
        let files = [file("export.toml", &text)];
        prop_assert_eq!(&done(&files, &Registry::default()), &registry, "{}", text);
        let again = plan(&files, &registry).unwrap();
        prop_assert!(again.difference.is_empty(), "{}", again.difference);
    }

    #[test]
    fn no_file_makes_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}",
        header in "(id|home|name|户号|,|;|\"|\n){0,20}",
    ) {
        for ending in ["csv", "toml", "json", ""] {
            for bytes in [bytes.clone(), text.clone().into_bytes(), format!("{header}\n{text}").into_bytes()] {
                let _ = plan(&[File { name: format!("x.{ending}"), bytes }], &Registry::default());
            }
        }
    }
}
