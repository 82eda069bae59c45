#include "tests/simulation/checker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/storage/old_file.h"
#include "sidecar/storage/state_file.h"
#include "tests/simulation/opener.h"

namespace zrs::simulation {

void Checker::Watch(const SimulatedWriter& writer, const std::vector<std::unique_ptr<Node>>& nodes) {
  writer_ = &writer;
  nodes_ = &nodes;
}

Node* Checker::Find(const std::string& name) const {
  for (const auto& node : *nodes_) {
    if (node->name() == name) return node.get();
  }
  return nullptr;
}

Node& Checker::Primary() const {
  return **std::find_if(nodes_->begin(), nodes_->end(), [](const auto& node) { return node->is_primary(); });
}

void Checker::OnPromoted(Node& node, Node& before) {
  const std::string left = before.disk().Contents(kDataPath);
  const Opened opened = OpenAsZodb(left);
  Disk& disk_before = disks_[before.name()];
  disk_before.left = left.substr(opened.end, sizeof(filestorage::Tid));
  disk_before.refused = opened.refused ? left : "";
  const auto disk = node.disk().Clone();
  const auto state = storage::StateFile(*disk, kStatePath).Load();
  if (!state.ok() || !state->has_value()) return log_.Violation(node.name(), "is promoted, and has no state");
  const auto& epochs = (*state)->lineage.epochs();
  program_epochs_[epochs.rbegin()->id()] = {writer_->epoch(), {}};
  for (auto& [name, known] : disks_) {
    known.follows = {};
    known.known_to = {};
  }
}

void Checker::OnRestored(const Node& primary, bool in_the_file) {
  OnResync(primary);
  overwritten_ = in_the_file;
  for (auto& [name, known] : disks_) {
    known.follows = {};
    known.known_to = {};
  }
}

void Checker::OnAdopted(const std::string& id) {
  const size_t epoch = writer_->epoch();
  restored_[id] = epoch;
  overwritten_ = false;
  ProgramEpoch& begun = program_epochs_[id] = {epoch, {}};
  for (size_t before = 0; before < epoch; ++before) begun.excluded.insert(before);
}

size_t Checker::RestoredAt(Node& node) {
  const auto disk = node.disk().Clone();
  const auto& state = StateOn(*disk, disks_[node.name()]);
  if (!state.ok() || !state->has_value()) return 0;
  size_t restored = 0;
  for (const v1::Epoch& epoch : (*state)->lineage.epochs()) {
    if (const auto found = restored_.find(epoch.id()); found != restored_.end()) restored = found->second;
  }
  return restored;
}

std::vector<size_t> Checker::EpochsOfCopy(Node& node) {
  const std::string contents = node.disk().Contents(kDataPath);
  if (contents.empty()) return {};
  const uint64_t end = OpenAsZodb(contents).end;
  std::vector<size_t> epochs = EpochsOf(absl::string_view(contents).substr(0, end));
  // A pack may have left the beginning as it was.
  std::erase_if(epochs, [&](size_t epoch) { return writer_->PackedSizeOf(epoch) > end; });
  std::vector<size_t> of_state = epochs;
  const size_t restored = RestoredAt(node);
  std::erase_if(of_state, [&](size_t epoch) { return writer_->RestoredIn(epoch) != restored; });
  // A primary that has lost its state need not know any more that a backup was restored, nor need its followers.
  return of_state.empty() && (overwritten_read_ || lost_in_) ? epochs : of_state;
}

std::optional<size_t> Checker::EpochOfCopy(Node& node) {
  const std::vector<size_t> epochs = EpochsOfCopy(node);
  if (epochs.empty()) return std::nullopt;
  return epochs.back();
}

bool Checker::IsPastAFork(Node& node) {
  const std::vector<size_t> epochs = EpochsOfCopy(node);
  for (const size_t epoch : epochs) {
    // One file goes on over a promotion. Packs of one file on two hosts may be the same to the byte, and are two.
    if (epoch != epochs.back() && writer_->FileOf(epoch) == writer_->FileOf(epochs.back())) continue;
    for (size_t later = epoch + 1; later <= writer_->epoch(); ++later) {
      if (writer_->IsForked(later)) return true;
    }
  }
  return false;
}

bool Checker::HasAcknowledgedAll(const Node& node) const {
  const auto found = disks_.find(node.name());
  return found != disks_.end() && found->second.told == writer_->history().size();
}

std::vector<size_t> Checker::EpochsOf(absl::string_view contents) const {
  std::vector<size_t> epochs;
  for (size_t epoch = 0; epoch <= writer_->epoch(); ++epoch) {
    if (absl::StartsWith(writer_->HistoryOf(epoch), contents)) epochs.push_back(epoch);
  }
  return epochs;
}

bool Checker::IsKnown(const Node& node, const Node& upstream) const {
  const auto disk = disks_.find(node.name());
  const ProcessName process{upstream.name(), upstream.life()};
  return disk != disks_.end() && disk->second.known_to == process && disk->second.follows == process;
}

bool Checker::HasFollowed(const Node& node, const Node& upstream) const {
  const auto disk = disks_.find(node.name());
  return disk != disks_.end() && disk->second.followed.contains({upstream.name(), upstream.life()});
}

bool Checker::MayBeUnproved(Node& node) const {
  // Of several upstreams the primary is the one that decides.
  if (IsKnown(node, node.upstreams().size() == 1 ? *Find(node.upstreams().front()) : Primary())) return false;
  const std::string contents = node.disk().Contents(kDataPath);
  const std::vector<size_t> epochs = EpochsOf(absl::string_view(contents).substr(0, OpenAsZodb(contents).end));
  if (epochs.empty()) return false;
  return epochs.front() + (HaveForgotten(node.upstreams(), epochs.front()) ? 1 : 2) <= writer_->epoch();
}

std::string Checker::Durable(Node& node, uint64_t from, uint64_t to) {
  return node.disk().DurableContents(kDataPath, from, to);
}

bool Checker::IsProved(Node& node, uint64_t end, Place* place) {
  Disk& disk = disks_[node.name()];
  Place& proved = disk.proved;
  const std::string& history = writer_->HistoryOf(proved.epoch);
  if (end <= history.size()) {
    const uint64_t from = std::min(proved.offset, end);
    // A few bytes before it are looked at again: were the file another one now, they would differ.
    const uint64_t again = from - std::min<uint64_t>(from, 64);
    if (Durable(node, again, end) == absl::string_view(history).substr(again, end - again) && from > 0) {
      proved.offset = std::max(proved.offset, end);
      *place = {proved.epoch, end};
      return true;
    }
  }
  const std::string durable = Durable(node, 0, end);
  if (durable.size() != end) return false;
  for (const size_t epoch : EpochsOf(durable)) {
    proved = {epoch, end};
    *place = proved;
    if (Fits(disk, *place)) return true;
  }
  return false;
}

bool Checker::IsDurableEnd(uint64_t end) {
  for (size_t epoch = 0; epoch < writer_->epoch(); ++epoch) {
    if (end <= writer_->HistoryOf(epoch).size()) return true;  // of a file that is gone
  }
  // The file may be under another name for a moment.
  if (backup_ || writer_->packing()) return end <= writer_->history().size();
  Place place;
  return IsProved(Primary(), end, &place);
}

void Checker::CheckBatch(Node& node, const v1::Batch& batch) {
  ++batches_;
  const std::string& data = batch.data();
  log_.Add(node.name(), absl::StrCat("sends ", batch.offset(), " + ", data.size()));
  const uint64_t end = batch.offset() + data.size();
  ProgramEpoch& known = program_epochs_[publishes_[node.name()]];
  std::optional<size_t> sent;
  bool committed = false;
  for (size_t epoch = 0; epoch <= known.newest; ++epoch) {
    if (known.excluded.contains(epoch)) continue;
    const absl::string_view history = writer_->HistoryOf(epoch);
    if (end > history.size() || history.substr(batch.offset(), data.size()) != data) {
      if (!known.several) known.excluded.insert(epoch);
      continue;
    }
    committed = true;
    // A primary that has not noticed a pack yet sends what the file before had: that is in the pack, or dropped by it.
    const bool gone = node.is_primary() && (backup_ || epoch < writer_->epoch());
    if (!sent && (gone || Durable(node, batch.offset(), end) == data)) sent = epoch;
  }
  if (!sent && IsOfOverwritten(node, batch)) return;
  if (!committed) {
    return log_.Violation(node.name(), absl::StrCat("sends bytes from ", batch.offset(), " to ", end,
                                                    " that are not committed in the primary's file"));
  }
  if (!sent) {
    return log_.Violation(node.name(),
                          absl::StrCat("sends bytes from ", batch.offset(), " to ", end, " that it could still lose"));
  }
  // What was sent before is a beginning of that file still: else a crash of its host has been a violation.
  std::string& longest = sent_[*sent];
  if (end > longest.size()) longest.append(writer_->HistoryOf(*sent), longest.size(), end - longest.size());
}

bool Checker::IsOfOverwritten(Node& node, const v1::Batch& batch) {
  if (!overwritten_read_ && !(overwritten_ && node.is_primary())) return false;
  const uint64_t end = batch.offset() + batch.data().size();
  for (size_t epoch = 0; epoch <= writer_->epoch(); ++epoch) {
    const absl::string_view history = writer_->HistoryOf(epoch);
    if (end > history.size() || history.substr(batch.offset(), batch.data().size()) != batch.data()) continue;
    if (Durable(node, batch.offset(), end) != batch.data()) continue;
    log_.Add(node.name(), "reads what was written over the file that it knows");
    overwritten_read_ = true;
    return true;
  }
  return false;
}

void Checker::OnPublisherSends(const std::string& name, const v1::PublisherMessage& message) {
  Node& node = *Find(name);
  if (message.has_batch()) return CheckBatch(node, message.batch());
  if (message.has_end()) {
    log_.Add(name,
             absl::StrCat("sends End ", v1::End::Reason_Name(message.end().reason()), ": ", message.end().message()));
  }
  if (message.has_welcome()) {
    const auto& epochs = message.welcome().lineage().epochs();
    if (node.is_primary()) OnPublished(message.welcome().lineage());
    publishes_[name] = epochs.empty() ? "" : epochs.rbegin()->id();
    program_epochs_.insert({publishes_[name], ProgramEpoch{writer_->epoch(), {}}});
    log_.Add(name, absl::StrCat("sends Welcome from ", message.welcome().start().offset(), " up to ",
                                message.welcome().committed_end()));
  }
  if (!message.has_heartbeat()) return;
  if (const uint64_t end = message.heartbeat().committed_end(); !IsDurableEnd(end)) {
    log_.Violation(name, absl::StrCat("tells of a committed end ", end, " that the primary could still lose"));
  }
}

void Checker::OnFollowerSends(const std::string& name, const std::string& peer, const v1::FollowerMessage& message) {
  Node& node = *Find(name);
  Node& upstream = *Find(peer);
  if (message.has_vouch()) OnVouch(node, upstream, message.vouch());
  if (message.has_hello()) OnHello(node, upstream, message.hello());
  if (message.has_end()) {
    log_.Add(name,
             absl::StrCat("sends End ", v1::End::Reason_Name(message.end().reason()), ": ", message.end().message()));
  }
  if (message.has_acknowledge()) OnAcknowledge(node, upstream, message.acknowledge().durable_offset());
}

void Checker::OnHello(Node& node, const Node& upstream, const v1::Hello& hello) {
  if (hello.look()) return log_.Add(node.name(), absl::StrCat("looks at ", upstream.name()));
  if (hello.inspect()) return log_.Add(node.name(), "asks about its upstream's file");
  Disk& disk = disks_[node.name()];
  disk.follows = {upstream.name(), upstream.life()};
  disk.followed.insert(disk.follows);
  disk.database = hello.lineage().database_id();
  disk.welcomed.clear();
  if (!disk.database.empty()) disk.stateless = false;
  generations_.OnHello(node.name(), node.life(), hello);
  log_.Add(node.name(), absl::StrCat("sends Hello at ", hello.position().offset(), " to ", upstream.name()));
}

void Checker::OnAcknowledge(Node& node, const Node& upstream, uint64_t offset) {
  Disk& disk = disks_[node.name()];
  const ProcessName process{upstream.name(), upstream.life()};
  if (upstream.running() && process == disk.follows) disk.known_to = process;
  log_.Add(node.name(), absl::StrCat("acknowledges ", offset));
  if (!disk.database.empty() && disk.database != disk.welcomed) {
    return log_.Violation(node.name(), absl::StrCat("follows ", upstream.name(), ", which is of another database"));
  }
  if (offset == 0) return;  // it builds another file, and says that it is there
  Place place;
  if (!IsProved(node, offset, &place)) {
    return log_.Violation(node.name(), absl::StrCat("acknowledges ", offset, " as durable, which it could still lose"));
  }
  disk.told = offset;
  if (std::exchange(disk.failed, false)) {
    disk.seen = {};
    disk.seen_tid = 0;
  }
  if (disk.acknowledged < place) disk.acknowledged = place;
}

void Checker::OnFollowerReceives(const std::string& name, const std::string& peer, bool look,
                                 const v1::PublisherMessage& message) {
  if (message.has_welcome() && !look) {
    disks_[name].welcomed = message.welcome().lineage().database_id();
  }
  const std::string wrong = generations_.OnMessage(name, Find(name)->life(), peer, look, message, log_.now());
  if (!wrong.empty()) log_.Violation(name, wrong);
}

void Checker::ForgetCopy(const Node& node) {
  ++copies_[node.name()];
  disks_.erase(node.name());
}

uint64_t Checker::CopiesOf(const Node& node) const {
  const auto found = copies_.find(node.name());
  return found == copies_.end() ? 0 : found->second;
}

void Checker::OnResync(const Node& node) {
  // What it knew of its followers was of the file that it gives up.
  for (auto& [name, known] : disks_) {
    if (known.known_to.first == node.name()) known.known_to = {};
  }
  ++copies_[node.name()];
  Disk& disk = disks_[node.name()];
  disk.acknowledged = {};
  disk.told = 0;
  disk.seen = {};
  disk.seen_tid = 0;
  disk.proved = {};
}

void Checker::OnMisuse(const std::string& node, const std::string& what) {
  log_.Violation(node, absl::StrCat("misuses a stream: ", what));
}

}  // namespace zrs::simulation
