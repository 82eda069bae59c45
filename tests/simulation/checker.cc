#include "tests/simulation/checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulation/opener.h"

namespace zrs::simulation {
namespace {

// How many leading bytes two files share.
uint64_t CommonPrefix(absl::string_view a, absl::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  if (a.substr(0, most) == b.substr(0, most)) return most;  // much faster than to look for the first difference
  const auto differ = std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin());
  return static_cast<uint64_t>(differ.first - a.begin());
}

}  // namespace

void Checker::Watch(const SimulatedWriter& writer, const std::vector<std::unique_ptr<Node>>& nodes) {
  writer_ = &writer;
  nodes_ = &nodes;
}

Node* Checker::Find(const std::string& name) {
  for (const auto& node : *nodes_) {
    if (node->name() == name) return node.get();
  }
  return nullptr;
}

uint64_t Checker::acknowledged(const std::string& node) const {
  const auto found = disks_.find(node);
  return found == disks_.end() ? 0 : found->second.acknowledged;
}

std::string Checker::Durable(Node& node, uint64_t from, uint64_t to) {
  Disk& disk = disks_[node.name()];
  if (disk.durable_at != node.disk().operations()) {
    disk.durable = node.disk().Clone();
    tests::LoseEverything lose_everything;
    disk.durable->Crash(lose_everything);
    disk.durable_at = node.disk().operations();
  }
  const auto file = disk.durable->OpenForReading(kDataPath);
  if (!file.ok() || from >= to) return "";
  std::string bytes(to - from, '\0');
  bytes.resize((*file)->ReadAt(from, absl::MakeSpan(bytes)).value_or(0));
  return bytes;
}

bool Checker::IsProved(Node& node, uint64_t end) {
  Disk& disk = disks_[node.name()];
  if (end <= disk.proved) return true;
  if (end > writer_->history().size()) return false;
  const uint64_t from = disk.proved;
  if (Durable(node, from, end) != absl::string_view(writer_->history()).substr(from, end - from)) return false;
  disk.proved = end;
  return true;
}

void Checker::CheckBatch(Node& node, const v1::Batch& batch) {
  ++batches_;
  const std::string& data = batch.data();
  log_.Add(node.name(), absl::StrCat("sends ", batch.offset(), " + ", data.size()));
  const absl::string_view history = writer_->history();
  const uint64_t end = batch.offset() + data.size();
  if (end > history.size() || history.substr(batch.offset(), data.size()) != data) {
    return log_.Violation(node.name(), absl::StrCat("sends bytes from ", batch.offset(), " to ", end,
                                                    " that are not committed in the primary's file"));
  }
  if (Durable(node, batch.offset(), end) != data) {
    return log_.Violation(node.name(),
                          absl::StrCat("sends bytes from ", batch.offset(), " to ", end, " that it could still lose"));
  }
  if (end > sent_.size()) absl::StrAppend(&sent_, history.substr(sent_.size(), end - sent_.size()));
}

void Checker::OnPublisherSends(const std::string& name, const v1::PublisherMessage& message) {
  Node& node = *Find(name);
  if (message.has_batch()) return CheckBatch(node, message.batch());
  if (message.has_end()) {
    log_.Add(name,
             absl::StrCat("sends End ", v1::End::Reason_Name(message.end().reason()), ": ", message.end().message()));
  }
  if (message.has_welcome()) {
    log_.Add(name, absl::StrCat("sends Welcome from ", message.welcome().start().offset(), " up to ",
                                message.welcome().committed_end()));
  }
  if (!message.has_heartbeat()) return;
  if (const uint64_t end = message.heartbeat().committed_end(); !IsProved(*nodes_->front(), end)) {
    log_.Violation(name, absl::StrCat("tells of a committed end ", end, " that the primary could still lose"));
  }
}

void Checker::OnFollowerSends(const std::string& name, const v1::FollowerMessage& message) {
  Node& node = *Find(name);
  if (message.has_hello()) {
    log_.Add(name, absl::StrCat("sends Hello at ", message.hello().position().offset()));
  }
  if (message.has_end()) {
    log_.Add(name,
             absl::StrCat("sends End ", v1::End::Reason_Name(message.end().reason()), ": ", message.end().message()));
  }
  if (!message.has_acknowledge()) return;
  const uint64_t offset = message.acknowledge().durable_offset();
  log_.Add(name, absl::StrCat("acknowledges ", offset));
  Disk& disk = disks_[name];
  disk.acknowledged = std::max(disk.acknowledged, offset);
  if (!IsProved(node, offset)) {
    log_.Violation(name, absl::StrCat("acknowledges ", offset, " as durable, which it could still lose"));
  }
}

void Checker::OnMisuse(const std::string& node, const std::string& what) {
  log_.Violation(node, absl::StrCat("misuses a stream: ", what));
}

void Checker::CheckOpened(Node& node, absl::string_view when, const std::string& contents, bool after_power_loss) {
  Disk& disk = disks_[node.name()];
  if (contents.empty() && disk.acknowledged == 0) return;  // no copy yet
  const Opened opened = OpenAsZodb(contents);
  const auto violation = [&](absl::string_view what) {
    log_.Violation(node.name(), absl::StrCat(when, " an opener of the copy (", contents.size(), " bytes) ", what));
  };
  if (opened.refused) return violation(absl::StrCat("is refused: ", opened.reason));
  if (const uint64_t common = CommonPrefix(contents, writer_->history()); common < opened.end) {
    return violation(absl::StrCat("finds transactions up to ", opened.end, ", but it equals the primary's ",
                                  writer_->history().size(), " committed bytes only up to ", common));
  }
  if (opened.end < disk.acknowledged) {
    return violation(absl::StrCat("finds transactions up to ", opened.end, ", and ", disk.acknowledged,
                                  " was acknowledged as durable"));
  }
  if (after_power_loss) return;
  if (opened.end < disk.seen) {
    return violation(absl::StrCat("finds transactions up to ", opened.end, ", and an earlier one up to ", disk.seen));
  }
  if (opened.last_tid < disk.seen_tid) {
    return violation(absl::StrCat("is told of an earlier last transaction than one before, behind ", opened.end));
  }
  disk.seen = opened.end;
  disk.seen_tid = opened.last_tid;
}

void Checker::CheckCopy(Node& node) { CheckOpened(node, "now", node.disk().Contents(kDataPath), false); }

void Checker::CheckCopyAfterPowerLoss(Node& node) {
  const auto copy = node.disk().Clone();
  tests::SeededChooser chooser(random_.Next());
  copy->Crash(chooser);
  CheckOpened(node, "after a power loss at this moment", copy->Contents(kDataPath), true);
}

void Checker::OnHostCrashed(Node& node) {
  Disk& disk = disks_[node.name()];
  disk.seen = 0;
  disk.seen_tid = 0;
  disk.proved = 0;
  disk.durable_at = UINT64_MAX;
  if (!node.is_primary()) return CheckCopy(node);
  if (!absl::StartsWith(writer_->history(), sent_)) {
    log_.Violation(node.name(), absl::StrCat("lost transactions that were sent: ", sent_.size(), " bytes were, and ",
                                             CommonPrefix(writer_->history(), sent_), " are left"));
  }
}

bool Checker::IsEqual(Node& node) const {
  const auto info = node.disk().Stat(kDataPath);
  if (!info.ok() || info->size != writer_->history().size()) return false;
  return node.disk().Contents(kDataPath) == writer_->history();
}

bool Checker::IsDurablyEqual(Node& node) {
  return Durable(node, 0, writer_->history().size() + 1) == writer_->history();
}

}  // namespace zrs::simulation
