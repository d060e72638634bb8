//! The kinds of entries and their columns, with the headings that tables usually carry: a CSV file is what its header says.

/// A kind of registry entry. The order is the one of [`EntityKey`](crate::engine::registry::EntityKey).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    Channel,
    Responder,
    Rota,
    Ladder,
    Plan,
    Home,
    Resident,
    Device,
    Profile,
}

/// A column's name, and other headings for it.
pub type Column = (&'static str, &'static [&'static str]);

impl Sort {
    pub const ALL: [Sort; 9] = [
        Sort::Channel,
        Sort::Responder,
        Sort::Rota,
        Sort::Ladder,
        Sort::Plan,
        Sort::Home,
        Sort::Resident,
        Sort::Device,
        Sort::Profile,
    ];

    /// The word of TOML and JSON files: `[[home]]`.
    pub fn word(self) -> &'static str {
        match self {
            Sort::Channel => "channel",
            Sort::Responder => "responder",
            Sort::Rota => "rota",
            Sort::Ladder => "ladder",
            Sort::Plan => "plan",
            Sort::Home => "home",
            Sort::Resident => "resident",
            Sort::Device => "device",
            Sort::Profile => "profile",
        }
    }

    /// The columns that a table may have; none where the entries do not fit into one.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Sort::Channel => CHANNEL,
            Sort::Responder => RESPONDER,
            Sort::Rota | Sort::Ladder | Sort::Plan | Sort::Profile => &[],
            Sort::Home => HOME,
            Sort::Resident => RESIDENT,
            Sort::Device => DEVICE,
        }
    }

    /// The columns without which a table is not of this kind.
    fn marks(self) -> &'static [&'static str] {
        match self {
            Sort::Channel => &["id", "url"],
            Sort::Responder => &["id", "channels"],
            Sort::Rota | Sort::Ladder | Sort::Plan | Sort::Profile => &[],
            Sort::Home => &["id"],
            Sort::Resident => &["id", "home"],
            Sort::Device => &["id", "home", "source", "address"],
        }
    }

    /// The column that a heading stands for, whatever its capitals and outer spaces.
    pub fn column(self, heading: &str) -> Option<&'static str> {
        let heading = heading.trim().to_lowercase();
        let found = self.columns().iter().find(|(name, others)| *name == heading || others.contains(&&*heading));
        found.map(|(name, _)| *name)
    }

    /// The kind that a header fits: all its marks are there, and fewer headings are unknown than for any other.
    pub fn recognise(headings: &[String]) -> Option<Sort> {
        let fits = |sort: &Sort| {
            let marks = sort.marks();
            !marks.is_empty() && marks.iter().all(|mark| headings.iter().any(|h| sort.column(h) == Some(mark)))
        };
        let strange = |sort: &Sort| headings.iter().filter(|h| sort.column(h).is_none()).count();
        Sort::ALL.into_iter().filter(fits).min_by_key(strange)
    }
}

const CHANNEL: &[Column] = &[
    ("id", &["编号"]),
    ("site", &["站点", "片区"]),
    ("dialect", &[]),
    ("url", &["网址"]),
    ("secret", &[]),
    ("include_personal", &[]),
    ("allow_private", &[]),
    ("ca_file", &[]),
    ("slots", &[]),
    ("medium", &["方式"]),
    ("language", &["语言"]),
    ("per_minute", &[]),
    ("proxy", &[]),
    ("mention", &[]),
];

const RESPONDER: &[Column] = &[
    ("id", &["编号", "工号"]),
    ("site", &["站点", "片区"]),
    ("channels", &["渠道", "通知渠道"]),
    ("name", &["姓名"]),
    ("phone", &["电话", "手机", "联系电话"]),
    ("pin", &["密码", "pin码"]),
];

const HOME: &[Column] = &[
    ("id", &["户号", "住户编号", "家庭编号", "编号"]),
    ("site", &["站点", "片区"]),
    ("plan", &["方案", "照护方案"]),
    ("status", &["状态"]),
    ("caseworker", &["责任社工", "网格员", "社工"]),
    ("community", &["社区", "小区"]),
    ("block", &["楼栋", "楼幢", "幢号"]),
    ("address", &["地址", "住址", "家庭住址", "详细地址"]),
    ("floor", &["楼层"]),
    ("gate_code", &["门禁码", "门禁密码", "单元门密码"]),
    ("keyholder", &["钥匙保管人", "备用钥匙"]),
    ("keyholder_phone", &["钥匙保管人电话"]),
    ("inner_bolt", &["内插销", "门内反锁"]),
    ("dog", &["养狗", "犬只"]),
    ("contact1_name", &["紧急联系人", "紧急联系人1", "联系人1"]),
    ("contact1_phone", &["紧急联系人电话", "紧急联系人1电话", "联系人1电话"]),
    ("contact1_relation", &["紧急联系人关系", "紧急联系人1关系", "联系人1关系"]),
    ("contact2_name", &["紧急联系人2", "联系人2"]),
    ("contact2_phone", &["紧急联系人2电话", "联系人2电话"]),
    ("contact2_relation", &["紧急联系人2关系", "联系人2关系"]),
    ("forced_entry_consent", &["破门授权", "破门授权日期"]),
    ("monitoring_consent", &["监测同意", "监测同意日期", "知情同意日期"]),
    ("notes", &["备注"]),
];

const RESIDENT: &[Column] = &[
    ("id", &["编号", "人员编号", "老人编号"]),
    ("home", &["户号", "住户编号", "家庭编号"]),
    ("name", &["姓名", "老人姓名"]),
    ("phone", &["电话", "手机", "联系电话"]),
    ("birth_year", &["出生年份", "出生年"]),
    ("mobility", &["行动能力"]),
    ("dementia", &["认知障碍", "失智"]),
    ("disabled", &["残疾", "失能"]),
    ("child", &["儿童"]),
    ("hard_of_hearing", &["听力障碍", "重听"]),
    ("diagnoses", &["病史", "疾病"]),
];

const DEVICE: &[Column] = &[
    ("id", &["编号", "设备编号"]),
    ("home", &["户号", "住户编号", "家庭编号"]),
    ("source", &["来源", "数据源"]),
    ("address", &["地址", "设备地址"]),
    ("room", &["房间", "安装位置"]),
    ("model", &["型号", "设备型号"]),
    ("life", &["求助设备", "紧急呼叫"]),
    ("profile", &["设备规则"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_what_its_header_says() {
        let table = [
            ("id,site,community,block,address", Some(Sort::Home)),
            ("户号,社区,楼栋,地址,紧急联系人,紧急联系人电话,破门授权", Some(Sort::Home)),
            ("ID, Home ,name,phone", Some(Sort::Resident)),
            ("编号,户号,姓名,出生年份,电话", Some(Sort::Resident)),
            ("id,home,source,address,room", Some(Sort::Device)),
            ("设备编号,户号,来源,设备地址,房间,型号", Some(Sort::Device)),
            ("id,site,channels,name,phone", Some(Sort::Responder)),
            ("id,url,secret", Some(Sort::Channel)),
            ("id,home,nmae", Some(Sort::Resident)),
            ("address,floor", None),
            ("", None),
        ];
        for (header, sort) in table {
            let headings: Vec<String> = header.split(',').map(str::to_owned).collect();
            assert_eq!(Sort::recognise(&headings), sort, "{header}");
        }
    }

    #[test]
    fn no_heading_means_two_columns_of_one_table() {
        for sort in Sort::ALL {
            let mut headings: Vec<&str> = sort
                .columns()
                .iter()
                .flat_map(|(name, others)| [*name].into_iter().chain(others.iter().copied()))
                .collect();
            let all = headings.len();
            headings.sort_unstable();
            headings.dedup();
            assert_eq!(headings.len(), all, "{sort:?}");
        }
    }
}
