#include "tests/simulation/restore.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "filestorage/format.h"
#include "sidecar/replication/lineage.h"

namespace zrs::simulation {
namespace {

constexpr absl::Duration kLongestMistake = absl::Seconds(25);
constexpr absl::Duration kNoticed = absl::Seconds(10);    // also where polls alone notice, and the status is asked
constexpr absl::Duration kForgotten = absl::Seconds(40);  // by secondaries, which ask their upstream seldom then

// Where transactions of `file` end that are older than `tid`. Behind a packed one its file may pass for a later pack:
// what is missing then need not be referenced by any object that is there, as it would be in a database.
std::vector<uint64_t> EndsBefore(absl::string_view file, filestorage::Tid tid) {
  std::vector<uint64_t> ends;
  for (uint64_t at = filestorage::kMagicSize; at < file.size();) {
    const auto header = filestorage::DecodeTransactionHeader(file.substr(at));
    if (header.tid >= tid) break;
    at += header.length + filestorage::kLengthSize;
    if (header.status != filestorage::kStatusPacked) ends.push_back(at);
  }
  return ends;
}

}  // namespace

void Restore::BeginForAWhile() {
  cluster_.RestoreBackup();
  cluster_.queue().Add(cluster_.random().Delay(absl::ZeroDuration(), kLongestMistake),
                       [this] { cluster_.PutBackRightFile(); });
}

void Restore::BeginForGood() {
  const SimulatedWriter& writer = cluster_.writer();
  if (cluster_.restoring() || cluster_.has_backup() || cluster_.failing_over()) return;
  if (!writer.is_open() || writer.busy()) return;
  const std::optional<storage::State> state = cluster_.primary().SettledState();
  const std::optional<Backup> backup = state ? ChooseBackup(*state) : std::nullopt;
  if (!backup) return;
  known_.clear();
  for (const v1::Epoch& epoch : state->lineage.epochs()) known_.insert(epoch.id());
  began_ = cluster_.queue().now();
  adoption_.Forget();
  cluster_.GoOnFromBackup(backup->epoch, backup->end);
}

// One that has all that is known to have been there would be the right file.
std::optional<Restore::Backup> Restore::ChooseBackup(const storage::State& state) {
  SeededRandom& random = cluster_.random();
  const SimulatedWriter& writer = cluster_.writer();
  Backup backup{writer.epoch(), 0};
  if (random.OneIn(3)) backup.epoch = random.Below(writer.epoch() + 1);
  std::vector<uint64_t> ends = EndsBefore(writer.HistoryOf(backup.epoch), state.lower_bound.tid);
  std::erase_if(ends, [&](uint64_t end) { return end < writer.PackedSizeOf(backup.epoch); });
  if (ends.empty()) return std::nullopt;
  backup.end = ends[random.Below(ends.size())];
  return backup;
}

bool Restore::Judge(Node& node, const v1::StorageStatus& status) {
  const absl::Duration now = cluster_.queue().now();
  const bool diverged = status.state() == "diverged";
  const bool there = cluster_.restoring() || cluster_.has_backup();
  if (there && node.is_primary()) {
    const absl::Duration began = cluster_.restoring() ? began_ : cluster_.backup_began();
    if (diverged) ++refused_;
    if (diverged && cluster_.restoring()) Tell();
    const bool told = status.state() == "streaming" && cluster_.restoring() && EndIfTold(node);
    if (status.state() == "streaming" && !told && now - began > kNoticed) {
      cluster_.log().Violation(node.name(), "serves an older backup");
    }
  }
  if (!diverged || there || now - cluster_.backup_ended() < kForgotten) return diverged;
  // One that has nothing to give up asks again by itself.
  return now - ended_ < kForgotten && !node.is_primary() && !cluster_.checker().IsPastAFork(node);
}

void Restore::Tell() {
  adoption_.Tell(v1::AdoptRequest::AS_RESTORED, [this](Node& primary, const absl::StatusOr<std::string>& answer) {
    if (answer.ok() && cluster_.restoring() && !EndIfTold(primary)) {
      cluster_.log().Violation(primary.name(), "goes on from the backup, and its state does not tell");
    }
  });
}

bool Restore::EndIfTold(Node& primary) {
  const std::optional<storage::State> state = primary.StateOnDisk();
  if (!state) return false;
  const auto& epochs = state->lineage.epochs();
  const auto begun = std::find_if(epochs.begin(), epochs.end(), [this](const v1::Epoch& epoch) {
    return replication::IsRestored(epoch) && !known_.contains(epoch.id());
  });
  if (begun == epochs.end()) return false;
  ++restores_;
  ended_ = cluster_.queue().now();
  cluster_.EndRestore(begun->id());
  return true;
}

}  // namespace zrs::simulation
