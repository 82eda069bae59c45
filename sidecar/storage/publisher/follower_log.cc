#include "sidecar/storage/publisher/follower_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/id.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

using State = replication::PublisherSession::State;

constexpr absl::Duration kLogInterval = absl::Minutes(10);
// A stream that has lasted so long has come to something.
constexpr absl::Duration kSettled = absl::Seconds(10);
constexpr size_t kMostTroubles = 256;

}  // namespace

FollowerLog::FollowerLog(std::string storage_name, runtime::Runtime& runtime)
    : storage_name_(std::move(storage_name)), runtime_(runtime) {}

std::list<FollowerLog::Trouble>::iterator FollowerLog::FindTrouble(const std::string& node_id) {
  return std::find_if(troubles_.begin(), troubles_.end(),
                      [&node_id](const Trouble& trouble) { return trouble.node_id == node_id; });
}

void FollowerLog::LogConnected(const PublisherConnection& connection) const {
  spdlog::info("storage {}: follower {} connected", storage_name_, connection.peer());
}

void FollowerLog::OnConnected(const std::shared_ptr<PublisherConnection>& connection, const std::string& node_id) {
  // Whatever a malformed one says, it has room for itself alone.
  const std::string known = node_id.size() == replication::kIdSize ? node_id : "";
  const bool told = FindTrouble(known) == troubles_.end();
  if (told) LogConnected(*connection);
  newcomers_.push_back({connection, known, runtime_.Now(), told, std::nullopt});
}

bool FollowerLog::ComesToSomething(Newcomer& newcomer, uint64_t end) const {
  const replication::PublisherSession& session = newcomer.connection->session();
  const State state = session.state();
  if (state == State::kHandshake || state == State::kEnding || newcomer.connection->cancelled()) return false;
  const uint64_t durable = session.acknowledged_offset();
  if (!newcomer.offset) newcomer.offset = durable;
  return durable > *newcomer.offset || (state == State::kStreaming && durable >= end) ||
         runtime_.Now() - newcomer.came >= kSettled;
}

void FollowerLog::OnProgress(uint64_t end) {
  newcomers_.remove_if([this, end](Newcomer& newcomer) {
    if (!ComesToSomething(newcomer, end)) return false;
    if (!newcomer.told) LogConnected(*newcomer.connection);
    if (const auto trouble = FindTrouble(newcomer.node_id); trouble != troubles_.end()) troubles_.erase(trouble);
    return true;
  });
}

void FollowerLog::OnClosed(const PublisherConnection& connection) {
  const auto newcomer = std::find_if(newcomers_.begin(), newcomers_.end(), [&connection](const Newcomer& candidate) {
    return candidate.connection.get() == &connection;
  });
  if (newcomer == newcomers_.end()) {
    spdlog::info("storage {}: follower {} disconnected: {}", storage_name_, connection.peer(), connection.WhyClosed());
    return;
  }
  NoteTrouble(*newcomer);
  newcomers_.erase(newcomer);
}

void FollowerLog::NoteTrouble(const Newcomer& newcomer) {
  const std::string reason = newcomer.connection->WhyClosed();
  const absl::Duration now = runtime_.Now();
  uint64_t untold = 0;
  if (const auto trouble = FindTrouble(newcomer.node_id); trouble != troubles_.end()) {
    if (trouble->reason == reason && now - trouble->told < kLogInterval) {
      ++trouble->untold;
      return;
    }
    untold = trouble->untold;
    troubles_.erase(trouble);
  }
  troubles_.push_back({newcomer.node_id, reason, now, 0});
  if (troubles_.size() > kMostTroubles) troubles_.pop_front();
  spdlog::info("storage {}: follower {} disconnected: {}{}", storage_name_, newcomer.connection->peer(), reason,
               untold == 0 ? "" : absl::StrCat(" (it came ", untold, " more times since the last line on it)"));
}

}  // namespace zrs::storage
