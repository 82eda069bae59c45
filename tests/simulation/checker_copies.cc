// What is found on a disk: by an opener, after a power loss, and at the end.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/storage/old_file.h"
#include "sidecar/storage/state_file.h"
#include "tests/simulation/checker.h"
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

// What an opener takes for the id of the last transaction, where a power loss may have left half of an old and half of
// a new one: until the sidecar has recovered the copy, no promise was made of it (the README's limits). Else nothing.
std::string TornTid(const std::string& contents) {
  constexpr uint64_t kSector = 512;
  constexpr uint64_t kTid = sizeof(filestorage::Tid);
  const uint64_t end = OpenAsZodb(contents).end;
  return end % kSector > kSector - kTid && contents.size() >= end + kTid ? contents.substr(end, kTid) : "";
}

}  // namespace

void Checker::CheckOpened(Node& node, absl::string_view when, const std::string& contents, bool after_power_loss) {
  Disk& disk = disks_[node.name()];
  if (contents.empty() && disk.acknowledged.offset == 0) return;  // no copy yet
  const Opened opened = OpenAsZodb(contents);
  const auto violation = [&](absl::string_view what) {
    log_.Violation(node.name(), absl::StrCat(when, " an opener of the copy (", contents.size(), " bytes) ", what));
  };
  if (opened.refused && contents == disk.refused) return;
  if (opened.refused) return violation(absl::StrCat("is refused: ", opened.reason));
  const std::vector<size_t> epochs = EpochsOf(absl::string_view(contents).substr(0, opened.end));
  if (epochs.empty()) {
    return violation(absl::StrCat(
        "finds transactions up to ", opened.end, ", which are not the primary's of any time, ", "its present ",
        writer_->history().size(), " committed bytes only up to ", CommonPrefix(contents, writer_->history())));
  }
  const auto fitting = std::find_if(epochs.begin(), epochs.end(), [&](size_t epoch) {
    return Fits(disk, {epoch, opened.end});
  });
  if (fitting == epochs.end()) {
    return violation(absl::StrCat("finds transactions up to ", opened.end, " of epoch ", epochs.back(), ", and ",
                                  disk.acknowledged.offset, " of ", disk.acknowledged.epoch,
                                  " was acknowledged as durable"));
  }
  if (after_power_loss || disk.failed || node.had_failure_of_any_kind()) return;
  const auto seen = std::find_if(epochs.begin(), epochs.end(), [&](size_t epoch) {
    return Fits(disk, {epoch, opened.end}) && !(Place{epoch, opened.end} < disk.seen);
  });
  if (seen == epochs.end()) {
    return violation(absl::StrCat("finds transactions up to ", opened.end, " of epoch ", epochs.back(),
                                  ", and an earlier one up to ", disk.seen.offset, " of ", disk.seen.epoch));
  }
  // ZODB tells of the id of a transaction that is not committed, too.
  const absl::string_view behind = absl::string_view(contents).substr(opened.end);
  const bool left = !disk.left.empty() && absl::StartsWith(behind, disk.left);
  const bool torn = !disk.torn.empty() && absl::StartsWith(behind, disk.torn);
  if (!torn) disk.torn.clear();
  if (left || torn || saved_.IsCutting(node.name())) return;
  if (*seen == disk.seen.epoch && opened.last_tid < disk.seen_tid) {
    return violation(absl::StrCat("is told of an earlier last transaction than one before, behind ", opened.end, ": ",
                                  absl::Hex(opened.last_tid), ", not ", absl::Hex(disk.seen_tid), " behind ",
                                  disk.seen.offset));
  }
  disk.seen = {*seen, opened.end};
  disk.seen_tid = opened.last_tid;
}

bool Checker::Has(Place place, Place known) const {
  const absl::string_view acknowledged = absl::string_view(writer_->HistoryOf(known.epoch)).substr(0, known.offset);
  // The beginning of a copy may be that of more than one epoch's file.
  if (place.epoch == known.epoch || absl::StartsWith(writer_->HistoryOf(place.epoch), acknowledged))
    return place.offset >= known.offset;
  const size_t restored = writer_->RestoredIn(place.epoch);
  if (restored != writer_->RestoredIn(known.epoch)) {
    return restored > known.epoch && absl::StartsWith(writer_->HistoryOf(restored), acknowledged) &&
           Has(place, {restored, known.offset});
  }
  // A file that took the place of another came with all that the pack wrote.
  return place.epoch > known.epoch && writer_->FileOf(place.epoch) > writer_->FileOf(known.epoch) &&
         place.offset >= writer_->PackedSizeOf(place.epoch);
}

bool Checker::HasDurably(Node& node, Place known) {
  if (Place place; IsProved(node, known.offset, &place) && Has(place, known)) return true;
  const std::string durable = Durable(node, 0, UINT64_MAX);
  const uint64_t end = OpenAsZodb(durable).end;
  for (const size_t epoch : EpochsOf(absl::string_view(durable).substr(0, end))) {
    if (Has({epoch, end}, known)) return true;
  }
  return false;
}

void Checker::CheckCopy(Node& node) {
  CheckOpened(node, "now", node.disk().Contents(kDataPath), false);
  saved_.Check(node.name(), node.disk());
}

void Checker::CheckCopyAfterPowerLoss(Node& node) {
  const auto copy = node.disk().Clone();
  tests::SeededChooser chooser(random_.Next());
  copy->Crash(chooser);
  CheckOpened(node, "after a power loss at this moment", copy->Contents(kDataPath), true);
  CheckState(node, *copy);
  saved_.Check(node.name(), *copy);
}

const absl::StatusOr<std::optional<storage::State>>& Checker::StateOn(tests::SimulatedFileSystem& disk, Disk& known) {
  std::optional<std::string> bytes;
  if (disk.Exists(kStatePath)) bytes = disk.Contents(kStatePath);
  if (absl::IsUnknown(known.state.status()) || bytes != known.state_bytes) {
    known.state = storage::StateFile(disk, kStatePath).Load();
    known.state_bytes = std::move(bytes);
  }
  return known.state;
}

void Checker::CheckState(Node& node, tests::SimulatedFileSystem& disk) {
  if (!disk.Exists(kDataPath)) return;
  Disk& known = disks_[node.name()];
  const auto& state = StateOn(disk, known);
  if (known.stateless && state.ok() && !state->has_value()) return;
  if (!state.ok() || !state->has_value()) {
    return log_.Violation(node.name(), absl::StrCat("could lose its state: ",
                                                    state.ok() ? "there would be no file" : state.status().ToString()));
  }
  if ((*state)->rebuild && (*state)->rebuild->swap) return;  // found out at the next start
  if ((*state)->role == "primary") return;                   // the writer may have packed it while no zrs looked
  const auto there = storage::FileHasBoundary(disk, kDataPath, (*state)->lower_bound);
  if (there.ok() && *there) return;
  log_.Violation(node.name(), "after a power loss at this moment the state tells of another file than there is");
}

void Checker::OnHostCrashed(Node& node) {
  Disk& disk = disks_[node.name()];
  disk.seen = {};
  disk.seen_tid = 0;
  disk.proved = {};
  if (!node.is_primary()) {
    disk.torn = TornTid(node.disk().Contents(kDataPath));
    return CheckCopy(node);
  }
  for (const auto& [epoch, sent] : sent_) {
    if (epoch <= writer_->epoch() && absl::StartsWith(writer_->HistoryOf(epoch), sent)) continue;
    log_.Violation(node.name(),
                   absl::StrCat("lost transactions that were sent: ", sent.size(), " bytes of epoch ", epoch, " were"));
  }
}

bool Checker::IsEqual(Node& node) const { return node.disk().HasContents(kDataPath, writer_->history()); }

bool Checker::IsDurablyEqual(Node& node) {
  return Durable(node, 0, writer_->history().size() + 1) == writer_->history();
}

}  // namespace zrs::simulation
