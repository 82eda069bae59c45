#include "sidecar/storage/publisher/publisher.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "filestorage/timestamp.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/heartbeat_message.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/publisher/refuse_stream.h"
#include "sidecar/storage/status_text.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

using replication::MakeEnd;
using replication::PublisherSession;
using Kind = PublisherConnection::Kind;

// A follower is told that the file was replaced and comes back at once; this is plenty for one on a slow line.
constexpr absl::Duration kComeBack = absl::Seconds(10);

// After which a secondary that hears no other heartbeat passes its last one on again.
constexpr absl::Duration kLeastRepeated = absl::Seconds(1);
constexpr int kIntervalsRepeated = 2;

const char* StateName(PublisherSession::State state) {
  switch (state) {
    case PublisherSession::State::kHandshake:
      return "handshake";
    case PublisherSession::State::kCopying:
      return "copying";
    case PublisherSession::State::kRebuilding:
      return "rebuilding";
    case PublisherSession::State::kStreaming:
      return "streaming";
    case PublisherSession::State::kInspecting:
      return "inspecting";
    case PublisherSession::State::kEnding:
      return "ending";
  }
  return "ending";
}

bool IsFollowing(const PublisherConnection& connection) {
  if (connection.cancelled()) return false;
  const auto state = connection.session().state();
  return state == PublisherSession::State::kCopying || state == PublisherSession::State::kRebuilding ||
         state == PublisherSession::State::kStreaming;
}

}  // namespace

Publisher::Publisher(std::string storage_name, uint32_t max_followers, uint64_t inspect_rate, runtime::Runtime& runtime,
                     CommittedBytes& bytes, Hooks hooks)
    : storage_name_(std::move(storage_name)),
      max_followers_(max_followers),
      runtime_(runtime),
      bytes_(bytes),
      hooks_(std::move(hooks)),
      inspect_rate_(inspect_rate),
      probes_(std::make_shared<PositionProbes>(runtime, bytes, inspect_rate)),
      log_(storage_name_, runtime) {}

void Publisher::Open(replication::Publication publication) {
  if (std::exchange(had_followers_, false)) reopened_ = runtime_.Now();
  publication_ = std::move(publication);
  refusal_.reset();
  heartbeat_.reset();
  repeat_.reset();
  probes_->Forget();
}

void Publisher::Refuse(v1::End refusal) {
  had_followers_ = had_followers_ || followers() > 0;
  publication_.reset();
  probes_->Forget();
  // It tells of a file that may not be the one that is served next.
  heartbeat_.reset();
  repeat_.reset();
  EndAll(refusal);
  refusal_ = std::move(refusal);
}

void Publisher::Accept(std::shared_ptr<transport::PublisherStream> stream, v1::Hello hello) {
  const auto refuse = [&](v1::End end) { RefuseStream(std::move(stream), Marked(std::move(end))); };
  if (draining_) return refuse(MakeEnd(v1::End::REASON_SHUTDOWN, "this zrs is stopping", "none needed"));
  if (refusal_) return refuse(*refusal_);
  if (!publication_) {
    return refuse(MakeEnd(v1::End::REASON_NOT_READY, absl::StrCat("storage ", storage_name_, " is still starting"),
                          "none needed: the follower tries again"));
  }
  const Kind kind = PublisherConnection::KindOf(hello);
  if (kind != Kind::kLooks) CancelOthersOf(hello);
  if (std::optional<v1::End> no_room = CheckRoom(hello)) return refuse(*std::move(no_room));
  PublisherConnection::Hooks hooks;
  hooks.progressed = [this] { OnProgress(); };
  hooks.failed = hooks_.failed;
  hooks.last_seen = hooks_.last_seen;
  hooks.take_identity = hooks_.take_identity;
  hooks.inspecting = [this](uint64_t bytes) { return inspect_rate_.Take(runtime_.Now(), bytes); };
  replication::Publication publication = *publication_;
  if (hooks_.standing) {
    const Standing standing = hooks_.standing();
    publication.unheard = standing.unheard;
    publication.yields = standing.yields;
    publication.incomplete = standing.incomplete;
    publication.takes_identity = standing.takes_identity;
  }
  auto connection = std::make_shared<PublisherConnection>(runtime_, bytes_, *probes_, replication::PublisherOptions{},
                                                          std::move(publication), std::move(stream), std::move(hooks));
  connections_.push_back(connection);
  if (kind == Kind::kFollows) log_.OnConnected(connection, hello.node_id());
  connection->Start(std::move(hello), [this, raw = connection.get()] { OnClosed(raw); });
  if (!heartbeat_ || kind != Kind::kFollows) return;
  if (!repeat_) ScheduleRepeat();
  connection->OnHeartbeat(AgedHeartbeat());
}

std::optional<v1::End> Publisher::CheckRoom(const v1::Hello& hello) {
  const auto taken = static_cast<uint32_t>(absl::c_count_if(connections_, [&hello](const auto& connection) {
    return !connection->cancelled() && connection->kind() == PublisherConnection::KindOf(hello);
  }));
  if (hello.inspect()) {
    if (taken < kMostInspecting) return std::nullopt;
    return MakeEnd(v1::End::REASON_NOT_READY,
                   absl::StrCat("storage ", storage_name_, " is being compared with ", taken, " others already"),
                   "none needed for what zrs compares by itself; a zrs compare is to be typed again, later");
  }
  if (taken < max_followers_) return std::nullopt;
  const std::string message = absl::StrCat("storage ", storage_name_, " has its ", max_followers_, " followers");
  hooks_.refused(absl::StrCat("a follower was refused: ", message),
                 "raise max-followers, or let it follow a secondary");
  return MakeEnd(v1::End::REASON_REFUSED, message, "raise max-followers there, or follow another secondary");
}

v1::End Publisher::Marked(v1::End end) const {
  if (hooks_.standing && hooks_.standing().secondary) end.set_secondary(true);
  return end;
}

// A follower has one stream at a time, and a new node id with each start. One that is back has lost the stream before,
// which nobody has noticed here: it is not to count as another follower, nor to be waited for. So it is with one that
// inspects, beside its stream as a follower.
void Publisher::CancelOthersOf(const v1::Hello& hello) {
  if (hello.node_id().size() != replication::kIdSize) return;
  for (const auto& connection : connections_) {
    if (connection->session().node_id() != hello.node_id() || connection->cancelled()) continue;
    if (connection->kind() != PublisherConnection::KindOf(hello)) continue;
    connection->Cancel("the same follower came back by another stream");
  }
}

void Publisher::OnCommittedEnd(const filestorage::Boundary& end) {
  if (!publication_) return;
  publication_->end = end;
  for (const auto& connection : connections_) connection->OnCommittedEnd(end);
}

void Publisher::OnHeartbeat(const v1::Heartbeat& heartbeat) {
  // What was on its way when a role ended says nothing of the next one.
  if (!publication_) return;
  heartbeat_ = heartbeat;
  heartbeat_received_ = runtime_.Now();
  ScheduleRepeat();
  for (const auto& connection : connections_) connection->OnHeartbeat(heartbeat);
}

v1::Heartbeat Publisher::AgedHeartbeat() const {
  v1::Heartbeat heartbeat = *heartbeat_;
  const auto held =
      static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Microseconds(runtime_.Now() - heartbeat_received_), 0));
  heartbeat.set_age_micros(std::min(heartbeat.age_micros() + held, replication::kMostMicros));
  return heartbeat;
}

void Publisher::ScheduleRepeat() {
  repeat_.reset();
  if (connections_.empty() || !hooks_.standing || !hooks_.standing().secondary) return;
  const absl::Duration interval = absl::Microseconds(static_cast<int64_t>(heartbeat_->interval_micros()));
  repeat_ =
      runtime_.After(std::max(kLeastRepeated, kIntervalsRepeated * interval), [this] { OnHeartbeat(AgedHeartbeat()); });
}

void Publisher::Drain(absl::Duration timeout, absl::AnyInvocable<void()> done) {
  draining_ = true;
  drained_ = std::move(done);
  drain_timer_ = runtime_.After(timeout, [this] {
    for (const auto& connection : connections_) {
      if (publication_ && connection->session().acknowledged_offset() < publication_->end.offset) {
        spdlog::warn("storage {}: follower {} has not acknowledged the last {} bytes; it goes on from there later",
                     storage_name_, connection->peer(),
                     publication_->end.offset - connection->session().acknowledged_offset());
      }
    }
    EndAll(MakeEnd(v1::End::REASON_SHUTDOWN, "this zrs is stopping", "none needed"));
  });
  FinishDrainIfPossible();
}

void Publisher::EndAll(const v1::End& end) {
  for (const auto& connection : connections_) connection->End(end.reason(), end.message(), end.remedy());
  if (!draining_) return;
  ending_ = true;
  cancel_timer_ = runtime_.After(transport::kCloseGrace, [this] {
    for (const auto& connection : connections_) connection->Cancel("it did not close its stream in time");
  });
}

void Publisher::OnProgress() {
  log_.OnProgress(publication_ ? publication_->end.offset : 0);
  FinishDrainIfPossible();
  hooks_.progressed();
}

void Publisher::OnClosed(const PublisherConnection* closed) {
  if (closed->kind() == Kind::kFollows) log_.OnClosed(*closed);
  const std::optional<v1::End> rival = RivalToldOf(*closed);
  std::erase_if(connections_, [closed](const auto& connection) { return connection.get() == closed; });
  FinishDrainIfPossible();
  hooks_.progressed();
  if (rival) hooks_.rival(*rival);
}

std::optional<v1::End> Publisher::RivalToldOf(const PublisherConnection& closed) const {
  const bool secondary = hooks_.standing && hooks_.standing().secondary;
  if (const auto& refused = closed.session().own_end(); refused) {
    const bool rival = refused->reason() == v1::End::REASON_SUPERSEDED || refused->reason() == v1::End::REASON_CONFLICT;
    // What such a follower has may have been given up since by the one that it had it from, which may be this host.
    return rival && !secondary ? refused : std::nullopt;
  }
  const auto& told = closed.session().follower_end();
  if (!told || told->reason() != v1::End::REASON_CONFLICT || closed.kind() != Kind::kFollows || !publication_) {
    return std::nullopt;
  }
  // It may have been on its way while a person decided.
  const bool of_ours = told->generation() == replication::CurrentGeneration(publication_->lineage);
  return of_ours ? told : std::nullopt;
}

void Publisher::FinishDrainIfPossible() {
  if (!draining_) return;
  if (connections_.empty()) {
    drain_timer_.reset();
    cancel_timer_.reset();
    if (drained_) std::exchange(drained_, nullptr)();
    return;
  }
  const uint64_t end = publication_ ? publication_->end.offset : 0;
  if (ending_ || std::any_of(connections_.begin(), connections_.end(), [end](const auto& connection) {
        return IsFollowing(*connection) && connection->session().acknowledged_offset() < end;
      })) {
    return;
  }
  drain_timer_.reset();
  EndAll(MakeEnd(v1::End::REASON_SHUTDOWN, "this zrs is stopping", "none needed"));
}

uint32_t Publisher::followers() const { return CountFollowers(0); }

absl::Duration Publisher::expects_followers() const {
  if (!publication_ || !reopened_ || followers() > 0) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(), *reopened_ + kComeBack - runtime_.Now());
}

uint32_t Publisher::followers_at(uint64_t offset) const { return CountFollowers(offset); }

uint32_t Publisher::CountFollowers(uint64_t acknowledged) const {
  uint32_t count = 0;
  std::map<std::string, uint64_t> copies;  // what the last stream of each has acknowledged
  for (const auto& connection : connections_) {
    if (!IsFollowing(*connection)) continue;
    const PublisherSession& session = connection->session();
    if (!session.copy_id().empty()) {
      copies[session.copy_id()] = session.acknowledged_offset();
    } else if (session.acknowledged_offset() >= acknowledged) {
      ++count;
    }
  }
  for (const auto& [copy, offset] : copies) count += offset >= acknowledged ? 1 : 0;
  return count;
}

std::vector<std::string> Publisher::followers_behind(uint64_t offset) const {
  std::vector<std::string> behind;
  for (const auto& connection : connections_) {
    const uint64_t acknowledged = connection->session().acknowledged_offset();
    if (!IsFollowing(*connection) || acknowledged >= offset) continue;
    behind.push_back(absl::StrCat(connection->peer(), " at offset ", acknowledged));
  }
  return behind;
}

void Publisher::FillStatus(const std::optional<PrimaryView>& primary, v1::StorageStatus& status) const {
  for (const auto& connection : connections_) {
    const PublisherSession& session = connection->session();
    if (connection->kind() == Kind::kLooks) continue;
    v1::Follower* follower = status.add_followers();
    follower->set_peer(connection->peer());
    follower->set_state(StateName(connection->cancelled() ? PublisherSession::State::kEnding : session.state()));
    follower->set_connected_since(filestorage::Rfc3339(connection->connected_since()));
    if (!IsFollowing(*connection) || !publication_) continue;
    follower->set_sent(session.sent_offset());
    follower->set_acknowledged(session.acknowledged_offset());
    if (!primary || !primary->counted) continue;
    const filestorage::Boundary& end = publication_->end;
    const uint64_t behind = end.offset - std::min(end.offset, session.acknowledged_offset());
    follower->set_lag_bytes(primary->bytes_ahead + behind);
    // What was committed and not sent yet is as old as the last commit, at least.
    const filestorage::Tid sent = session.oldest_unacknowledged();
    const auto age = behind > 0 ? AgeOfTransaction(sent != 0 ? sent : end.tid, primary->now) : primary->seconds_ahead;
    if (age) follower->set_lag_seconds(*age);
  }
}

}  // namespace zrs::storage
