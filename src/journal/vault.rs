//! The keys of sealed fields: one per subject, in one file outside the journal. Erasing a person is destroying a key.
//!
//! The file is a magic, the CRC-32 of the rest, and the keys in CBOR; it is replaced as a whole. A sealed value is a version,
//! the first bytes of its key's hash, a nonce, and the JSON under ChaCha20-Poly1305 with the subject as associated data.

use super::disk::{Access, Disk, DiskFile, read_all};
use super::frame::{array, hash};
use crate::engine::sealed::Sealed;
use minicbor::bytes::ByteArray;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

const MAGIC: [u8; 8] = *b"HWKEYS01";
const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 4;
const PREFIX_BYTES: usize = 1 + TAG_BYTES + NONCE_LEN;
/// Room for a million subjects.
const MAX_FILE_BYTES: u64 = 256 << 20;

type Keys = BTreeMap<String, ByteArray<KEY_BYTES>>;

/// Where keys and nonces come from; the simulator brings its own.
pub trait Random: Send + Sync {
    /// Fills the bytes; an error where there is no randomness.
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()>;
}

/// The operating system's randomness.
#[derive(Debug)]
pub struct SystemSource;

impl Random for SystemSource {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        SystemRandom::new().fill(bytes).map_err(|_| io::Error::other("the system gives no randomness"))
    }
}

/// Why something cannot be sealed or opened.
#[derive(Debug)]
pub enum VaultError {
    /// The subject has no key, or not the one that this was sealed with: it has been erased.
    Erased,
    /// The sealed bytes are not what was sealed for this subject.
    Tampered,
    /// The value does not go into JSON, or does not come out of it as this type. The text would hold personal data: none is given.
    Json,
    /// The keys file is not whole, so nothing can be opened. It must come back from a backup.
    Keys,
    Io(io::Error),
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VaultError::Erased => f.write_str("erased: its key is gone"),
            VaultError::Tampered => f.write_str("the sealed bytes have been changed"),
            VaultError::Json => f.write_str("the sealed value is not of the expected form"),
            VaultError::Keys => f.write_str("the keys file is damaged; restore it from a backup"),
            VaultError::Io(e) => write!(f, "the keys file: {e}"),
        }
    }
}

impl std::error::Error for VaultError {}

impl From<io::Error> for VaultError {
    fn from(error: io::Error) -> Self {
        VaultError::Io(error)
    }
}

/// The keys, for any thread.
pub struct Vault {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    random: Box<dyn Random>,
    keys: RwLock<Keys>,
    /// Held while the file is replaced; who opens and seals does not wait for it.
    writing: Mutex<()>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} keys)", self.snapshot().len())
    }
}

impl Vault {
    /// Makes a keys file without a key; an error where there is one. Only for a new journal: beside an old one a missing
    /// keys file means that everything personal is out of reach, which nobody should find out later.
    pub fn create(disk: Arc<dyn Disk>, path: &Path, random: Box<dyn Random>) -> Result<Vault, VaultError> {
        if disk.open(path, Access::Read).is_ok() {
            return Err(VaultError::Io(io::ErrorKind::AlreadyExists.into()));
        }
        let (keys, writing) = (RwLock::new(Keys::new()), Mutex::new(()));
        let vault = Vault { disk, path: path.into(), random, keys, writing };
        vault.disk.create_dir(vault.dir())?;
        vault.replace(Keys::new())?;
        Ok(vault)
    }

    /// Reads the keys file; `Io` with `NotFound` where there is none.
    pub fn load(disk: Arc<dyn Disk>, path: &Path, random: Box<dyn Random>) -> Result<Vault, VaultError> {
        let keys = RwLock::new(decode(&read_all(&*disk, path, MAX_FILE_BYTES)?).ok_or(VaultError::Keys)?);
        Ok(Vault { disk, path: path.into(), random, keys, writing: Mutex::new(()) })
    }

    /// Sees to it that every subject has a key: one write for all that have none. The keys are durable when it returns,
    /// so what is sealed with them may enter the journal.
    pub fn ensure(&self, subjects: &[&str]) -> Result<(), VaultError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.snapshot();
        let before = keys.len();
        for subject in subjects {
            if !keys.contains_key(*subject) {
                let mut key = [0; KEY_BYTES];
                self.random.fill(&mut key)?;
                keys.insert(String::from(*subject), key.into());
            }
        }
        if keys.len() > before { self.replace(keys) } else { Ok(()) }
    }

    /// Destroys a subject's key, durably; gives whether there was one. What was sealed with it never opens again.
    pub fn erase(&self, subject: &str) -> Result<bool, VaultError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.snapshot();
        if keys.remove(subject).is_none() {
            return Ok(false);
        }
        let old = self.disk.open(&self.path, Access::Write)?;
        self.replace(keys)?;
        overwrite(&*old)?;
        Ok(true)
    }

    /// Whether a subject has a key.
    pub fn knows(&self, subject: &str) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).contains_key(subject)
    }

    /// Seals a value under the subject's key, which [`Vault::ensure`] has made.
    pub fn seal<T: Serialize>(&self, subject: &str, value: &T) -> Result<Sealed<T>, VaultError> {
        let (key, tag) = self.key(subject)?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce)?;
        let mut text = serde_json::to_vec(value).map_err(|_| VaultError::Json)?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(subject), &mut text)
            .map_err(|_| VaultError::Tampered)?;
        let mut bytes = Vec::with_capacity(PREFIX_BYTES + text.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&tag);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&text);
        Ok(Sealed::from_bytes(bytes))
    }

    /// Opens what was sealed for the subject.
    pub fn open<T: DeserializeOwned>(&self, subject: &str, sealed: &Sealed<T>) -> Result<T, VaultError> {
        let (key, tag) = self.key(subject)?;
        let (prefix, text) = sealed.as_bytes().split_at_checked(PREFIX_BYTES).ok_or(VaultError::Tampered)?;
        if prefix[0] != VERSION {
            return Err(VaultError::Tampered);
        }
        if array(prefix, 1) != tag {
            return Err(VaultError::Erased);
        }
        let nonce = Nonce::assume_unique_for_key(array(prefix, 1 + TAG_BYTES));
        let mut text = text.to_vec();
        let text = key.open_in_place(nonce, Aad::from(subject), &mut text).map_err(|_| VaultError::Tampered)?;
        serde_json::from_slice(text).map_err(|_| VaultError::Json)
    }

    /// A key to sign with, of a subject for which nothing is sealed. The same at every start.
    pub fn signing_key(&self, subject: &str) -> Result<hmac::Key, VaultError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(subject).ok_or(VaultError::Erased)?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &key[..]))
    }

    /// The subject's key, and what tells it from a later key of the same subject.
    fn key(&self, subject: &str) -> Result<(LessSafeKey, [u8; TAG_BYTES]), VaultError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(subject).ok_or(VaultError::Erased)?;
        let unbound = UnboundKey::new(&CHACHA20_POLY1305, &key[..]).map_err(|_| VaultError::Keys)?;
        Ok((LessSafeKey::new(unbound), array(&hash(&key[..]), 0)))
    }

    fn snapshot(&self) -> Keys {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn dir(&self) -> &Path {
        self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Puts the keys into the file, durably, and only then into use.
    fn replace(&self, keys: Keys) -> Result<(), VaultError> {
        let passing = self.path.with_extension("new");
        let file = self.disk.open(&passing, Access::Create)?;
        file.write_at(&encode(&keys), 0)?;
        file.sync()?;
        self.disk.rename(&passing, &self.path)?;
        self.disk.sync_dir(self.dir())?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }
}

/// Writes zeros over a file that has lost its name, so that the disk does not keep an erased key where that can be helped.
fn overwrite(file: &dyn DiskFile) -> io::Result<()> {
    let size = usize::try_from(file.size()?).map_err(io::Error::other)?;
    file.write_at(&vec![0; size], 0)?;
    file.sync()
}

fn encode(keys: &Keys) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&[0; 4]);
    // Writing CBOR into memory cannot fail.
    let _ = minicbor::encode(keys, &mut out);
    let sum = crc32fast::hash(&out[12..]);
    out[8..12].copy_from_slice(&sum.to_le_bytes());
    out
}

fn decode(bytes: &[u8]) -> Option<Keys> {
    let (magic, rest) = bytes.split_at_checked(8)?;
    let (sum, body) = rest.split_at_checked(4)?;
    if magic != MAGIC || crc32fast::hash(body) != u32::from_le_bytes(array(sum, 0)) {
        return None;
    }
    minicbor::decode(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::RealDisk;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicU8, Ordering};
    use tempfile::{TempDir, tempdir};

    /// Bytes that count up: a simulator's randomness.
    struct Counting(AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
            bytes.fill_with(|| self.0.fetch_add(1, Ordering::SeqCst));
            Ok(())
        }
    }

    fn path(dir: &TempDir) -> PathBuf {
        dir.path().join("keys/keys")
    }

    fn made() -> (TempDir, Vault) {
        let dir = tempdir().unwrap();
        let vault = Vault::create(Arc::new(RealDisk), &path(&dir), Box::new(SystemSource)).unwrap();
        (dir, vault)
    }

    fn loaded(dir: &TempDir) -> Result<Vault, VaultError> {
        Vault::load(Arc::new(RealDisk), &path(dir), Box::new(SystemSource))
    }

    #[test]
    fn what_is_sealed_opens_for_its_subject_alone_also_after_a_restart() {
        let (dir, vault) = made();
        vault.ensure(&["h1", "h2", "responder:r1"]).unwrap();
        let sealed = vault.seal("h1", &String::from("3-0012, ring twice")).unwrap();
        assert!(!sealed.as_bytes().windows(4).any(|w| w == b"ring"));
        assert_ne!(sealed.as_bytes(), vault.seal("h1", &String::from("3-0012, ring twice")).unwrap().as_bytes());
        drop(vault);
        let vault = loaded(&dir).unwrap();
        vault.ensure(&["h1", "h3"]).unwrap();
        assert_eq!(vault.open("h1", &sealed).unwrap(), "3-0012, ring twice");
        assert!(matches!(vault.open("h2", &sealed), Err(VaultError::Erased)));
        let number: Sealed<u32> = Sealed::from_bytes(sealed.as_bytes().to_vec());
        assert!(matches!(vault.open("h1", &number), Err(VaultError::Json)));
    }

    #[test]
    fn a_signing_key_is_the_same_after_a_restart() {
        let (dir, vault) = made();
        vault.ensure(&["links"]).unwrap();
        let tag = hmac::sign(&vault.signing_key("links").unwrap(), b"x");
        drop(vault);
        let vault = loaded(&dir).unwrap();
        hmac::verify(&vault.signing_key("links").unwrap(), b"x", tag.as_ref()).unwrap();
        assert!(matches!(vault.signing_key("other"), Err(VaultError::Erased)));
    }

    #[test]
    fn an_erased_subject_opens_nothing_ever_again() {
        let (dir, vault) = made();
        vault.ensure(&["h1", "h2"]).unwrap();
        let (one, two) = (vault.seal("h1", &1).unwrap(), vault.seal("h2", &2).unwrap());
        assert!(vault.erase("h1").unwrap());
        assert!(!vault.erase("h1").unwrap());
        assert!(matches!(vault.open("h1", &one), Err(VaultError::Erased)));
        assert!(matches!(vault.seal("h1", &1), Err(VaultError::Erased)));
        drop(vault);
        let vault = loaded(&dir).unwrap();
        assert!(!vault.knows("h1") && vault.knows("h2"));
        vault.ensure(&["h1"]).unwrap();
        assert!(matches!(vault.open("h1", &one), Err(VaultError::Erased)));
        assert_eq!(vault.open("h2", &two).unwrap(), 2);
    }

    #[test]
    fn a_changed_byte_never_opens() {
        let (_dir, vault) = made();
        vault.ensure(&["h1"]).unwrap();
        let sealed = vault.seal("h1", &"text").unwrap();
        for place in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[place] ^= 1;
            let changed: Sealed<String> = Sealed::from_bytes(bytes);
            let error = vault.open("h1", &changed).unwrap_err();
            assert!(matches!(error, VaultError::Tampered | VaultError::Erased), "byte {place}: {error}");
        }
        for length in 0..sealed.as_bytes().len() {
            let short: Sealed<String> = Sealed::from_bytes(sealed.as_bytes()[..length].to_vec());
            assert!(vault.open("h1", &short).is_err());
        }
    }

    #[test]
    fn a_damaged_missing_or_second_keys_file_is_refused() {
        let (dir, vault) = made();
        vault.ensure(&["h1"]).unwrap();
        assert!(Vault::create(Arc::new(RealDisk), &path(&dir), Box::new(SystemSource)).is_err());
        let bytes = std::fs::read(path(&dir)).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            std::fs::write(path(&dir), &changed).unwrap();
            assert!(matches!(loaded(&dir), Err(VaultError::Keys)), "byte {place}");
        }
        std::fs::remove_file(path(&dir)).unwrap();
        assert!(matches!(loaded(&dir), Err(VaultError::Io(e)) if e.kind() == io::ErrorKind::NotFound));
    }

    #[test]
    fn keys_are_for_the_owner_alone_and_never_shown() {
        let (dir, _) = made();
        let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path(&dir)), mode(path(&dir).parent().unwrap())), (0o600, 0o700));
        let counting = Box::new(Counting(AtomicU8::new(0)));
        let vault = Vault::create(Arc::new(RealDisk), &dir.path().join("counted"), counting).unwrap();
        vault.ensure(&["h1"]).unwrap();
        assert_eq!(format!("{vault:?}"), "Vault(1 keys)");
        let sealed = vault.seal("h1", &1).unwrap();
        assert_eq!(sealed.as_bytes()[5..17], (32..44).collect::<Vec<u8>>()[..], "the nonce follows the key");
    }
}
