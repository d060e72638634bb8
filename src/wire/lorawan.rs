//! What the codecs of LoRaWAN devices call their fields, whichever network server decoded them.
