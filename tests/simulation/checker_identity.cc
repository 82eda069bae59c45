// Which database a file is, where a state was lost.
#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/lineage.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/opener.h"

namespace zrs::simulation {

void Checker::OnStateLost(const Node& node) {
  Disk& disk = disks_[node.name()];
  disk.stateless = true;
  states_lost_[node.name()] = writer_->epoch();
  if (!node.is_primary()) return;
  lost_in_ = writer_->epoch();
  // What it knew of its followers is gone too.
  for (auto& [name, known] : disks_) {
    if (known.known_to.first == node.name()) known.known_to = {};
  }
}

bool Checker::HaveForgotten(const std::vector<std::string>& nodes, size_t epoch) const {
  return std::any_of(nodes.begin(), nodes.end(), [&](const std::string& name) {
    const auto lost = states_lost_.find(name);
    return lost != states_lost_.end() && lost->second >= epoch;
  });
}

void Checker::OnPublished(const v1::Lineage& lineage) {
  if (!lost_in_ || lineage.epochs().empty()) return;
  const std::string& id = lineage.epochs().rbegin()->id();
  const auto known = program_epochs_.find(id);
  if (known == program_epochs_.end()) {
    // It need not know that a backup was restored before.
    if (lineage.epochs_size() == 1 && writer_->RestoredIn(*lost_in_) != 0)
      restored_[id] = writer_->RestoredIn(*lost_in_);
    return;
  }
  // A pack may have left the beginning of the file as it was, as far as the follower had it who told which it is.
  if (publishes_[Primary().name()] == id || known->second.newest >= writer_->epoch()) return;
  known->second.newest = writer_->epoch();
  known->second.several = true;
  known->second.excluded.clear();
}

void Checker::OnVouch(Node& node, Node& upstream, const v1::Vouch& vouch) {
  log_.Add(node.name(), absl::StrCat("vouches for ", replication::DescribeId(vouch.lineage().database_id()), " at ",
                                     upstream.name(), ", up to ", vouch.position().offset()));
  const std::string copy = node.disk().Contents(kDataPath);
  const absl::string_view told = absl::string_view(copy).substr(0, vouch.position().offset());
  if (absl::StartsWith(upstream.disk().Contents(kDataPath), told)) return;
  // It was packed since.
  for (size_t epoch = lost_in_.value_or(0); epoch <= writer_->epoch(); ++epoch) {
    if (absl::StartsWith(writer_->HistoryOf(epoch), told)) return;
  }
  log_.Violation(node.name(),
                 absl::StrCat("tells ", upstream.name(), " which database it is, and has not a beginning of its file"));
}

std::string Checker::IdentityOf(Node& node) {
  const v1::Lineage lineage = node.LineageOnDisk();
  if (lineage.epochs().empty()) return "";
  return absl::StrCat("database ", replication::DescribeId(lineage.database_id()), " in epoch ",
                      replication::DescribeId(replication::CurrentEpoch(lineage)->id()));
}

bool Checker::HaveOneIdentity() const {
  return std::all_of(nodes_->begin(), nodes_->end(), [this](const auto& node) { return HasPrimarysIdentity(*node); });
}

bool Checker::HasPrimarysIdentity(Node& node) const {
  const std::string here = IdentityOf(node);
  return !here.empty() && here == IdentityOf(Primary());
}

void Checker::CheckIdentity(Node& node) {
  if (HasPrimarysIdentity(node)) return;
  log_.Violation(node.name(),
                 absl::StrCat("is equal, and of ", IdentityOf(node), ", the primary of ", IdentityOf(Primary())));
}

}  // namespace zrs::simulation
