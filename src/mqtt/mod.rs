//! A session as a pure machine, and the thin pump that moves its bytes through rumqttc.
