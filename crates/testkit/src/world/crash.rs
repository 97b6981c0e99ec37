//! The end and the beginning of the process, in the order in which the server does it.

use std::sync::Arc;
use std::time::Duration;

use engine::Input;
use media::WavHeader;
use model::{Record, RecordingEvent, RecordingRecord, TenantId, Text};

use super::switchboard::Switchboard;
use super::{BEGINNING, World};

impl World {
    /// The process starts: engine, settings, live facts, addresses for sound.
    pub fn start(&mut self) {
        let number = self.store.start_engine();
        self.switchboard = Some(Switchboard::new(number, &mut self.chance));
        for settings in self.companies.iter().map(|company| Arc::new(company.settings.clone())).collect::<Vec<_>>() {
            let ticket = self.ticket();
            self.give(Input::Settings { ticket, settings });
        }
        let kept: Vec<_> = self.store.kept().cloned().collect();
        for kept in kept {
            self.give(Input::Kept(kept));
        }
        if let Some(switchboard) = &mut self.switchboard {
            switchboard.know(&self.companies);
        }
        for (worker, report) in self.floor.stock() {
            self.give(Input::Media { worker, report });
        }
    }

    /// The process dies in the middle of everything.
    pub fn crash(&mut self) {
        self.ladder.note(self.now, "the switchboard dies");
        self.died_at = self.wall();
        self.switchboard = None;
        self.echoes.clear();
        self.crm.crash();
        self.unreplied.clear();
        self.store.crash();
        self.floor.crash();
        for connection in std::mem::take(&mut self.connections).into_values() {
            self.network.cut(connection);
        }
    }

    /// The process starts again after a crash: what was open gets its end first.
    pub fn restart(&mut self) {
        self.ladder.note(self.now, "the switchboard starts");
        let open: Vec<(TenantId, Record)> = self
            .store
            .tenants()
            .flat_map(|(id, tenant)| tenant.records.values().map(move |record| (id, record.clone())))
            .filter(|(_, record)| record.ended_at.is_none() || open_files(record).next().is_some())
            .collect();
        let died_at = self.died_at;
        for (tenant, record) in open {
            let repaired = open_files(&record).map(|open| (open.recording, self.repaired(&open.file))).collect();
            for told in engine::recover(tenant, record, repaired, died_at) {
                self.store.push(self.now, told);
            }
        }
        let wall = Duration::from_secs(BEGINNING.unsigned_abs()) + self.now;
        let mono = self.mono();
        let chance = &mut self.chance;
        self.floor.restart(mono, wall, || chance.seed());
        self.start();
        for place in 0..self.phones.len() {
            if self.is_connected(place) {
                let name = self.phones[place].card.name.clone();
                self.connects(&name);
            }
        }
    }

    /// The process dies and starts again after so many seconds.
    pub fn crashes_for(&mut self, seconds: f64) {
        self.crash();
        self.run(seconds);
        self.restart();
    }

    fn repaired(&self, file: &str) -> RecordingEvent {
        match self.floor.recorded_bytes(file) {
            Some(bytes) => RecordingEvent::Closed {
                milliseconds: WavHeader::milliseconds(bytes),
                gap_milliseconds: 0,
                bytes: bytes + WavHeader::LENGTH as u64,
                sha256: format!("{bytes:064x}"),
            },
            None => RecordingEvent::Failed { why: Text::from("the file is not there") },
        }
    }
}

/// The recordings that have begun and have not ended.
fn open_files(record: &Record) -> impl Iterator<Item = &RecordingRecord> {
    record.recordings.iter().filter(|recording| recording.milliseconds.is_none() && !recording.failed)
}
