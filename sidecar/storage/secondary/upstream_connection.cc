#include "sidecar/storage/secondary/upstream_connection.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "sidecar/storage/overloaded.h"

namespace zrs::storage {
namespace {

// Of a publisher that owes an answer, or bytes.
constexpr absl::Duration kLongestSilence = absl::Seconds(20);  // until it is told
constexpr absl::Duration kLongestWait = absl::Seconds(30);     // until the stream is given up, at least
constexpr int kIntervalsMissed = 3;                            // the same
// The position that the hello names may have to be looked for, behind others', on a slow disk.
constexpr absl::Duration kLongestHandshake = absl::Minutes(2);

}  // namespace

// Carries the stream's events, which come on the transport's threads, to the strand.
class UpstreamConnection::Events final : public transport::FollowerEvents {
 public:
  Events(runtime::Runtime& runtime, std::weak_ptr<UpstreamConnection> connection)
      : runtime_(runtime), connection_(std::move(connection)) {}

  void OnOpen() override {
    runtime_.Post([weak = connection_] {
      if (auto connection = weak.lock()) connection->OnOpen();
    });
  }
  void OnMessage(v1::PublisherMessage message) override {
    runtime_.Post([weak = connection_, message = std::move(message)]() mutable {
      if (auto connection = weak.lock()) connection->OnStreamMessage(std::move(message));
    });
  }
  void OnWritten() override {
    runtime_.Post([weak = connection_] {
      if (auto connection = weak.lock()) connection->OnTaken();
    });
  }
  void OnClosed(absl::Status status) override {
    runtime_.Post([weak = connection_, status = std::move(status)]() mutable {
      if (auto connection = weak.lock()) connection->OnStreamClosed(std::move(status));
    });
  }

 private:
  runtime::Runtime& runtime_;
  std::weak_ptr<UpstreamConnection> connection_;
};

UpstreamConnection::UpstreamConnection(runtime::Runtime& runtime, replication::FollowerOptions options,
                                       replication::Copy copy, absl::Duration keep_alive,
                                       std::shared_ptr<transport::FollowerStream> stream, Hooks hooks)
    : runtime_(runtime),
      session_(std::move(options), std::move(copy)),
      stream_(std::move(stream)),
      hooks_(std::move(hooks)),
      close_grace_(transport::kCloseGrace),
      keep_alive_(keep_alive) {}

void UpstreamConnection::Start() { stream_->Start(std::make_shared<Events>(runtime_, weak_from_this())); }

void UpstreamConnection::OnOpen() {
  open_ = true;
  reached_ = true;
  heard_ = news_ = runtime_.Now();
  Perform(session_.OnOpen());
  ScheduleKeepAlive();
  WatchSilence();
}

void UpstreamConnection::ScheduleKeepAlive() {
  const absl::Duration silent = runtime_.Now() - sent_;
  if (silent >= keep_alive_) {
    sent_ = runtime_.Now();
    Perform(session_.OnKeepAlive());
  }
  keep_alive_timer_ = runtime_.After(keep_alive_ - (runtime_.Now() - sent_), [this] { ScheduleKeepAlive(); });
}

void UpstreamConnection::WatchSilence() {
  const absl::Duration longest = LongestSilence();
  const absl::Duration silent = SinceIdle(heard_);
  const absl::Duration deaf = untaken_since_ ? runtime_.Now() - *untaken_since_ : absl::ZeroDuration();
  if (silent >= longest) return GiveUp("nothing was heard of it", silent);
  if (deaf >= kLongestWait) return GiveUp("nothing of what it is told was taken", deaf);
  silence_timer_ = runtime_.After(std::min(longest - silent, kLongestWait - deaf), [this] { WatchSilence(); });
}

absl::Duration UpstreamConnection::LongestSilence() const {
  if (session_.upstream_end() == 0) return kLongestHandshake;
  const std::optional<v1::Heartbeat>& heartbeat = session_.heartbeat();
  const bool has_more = session_.received_offset() < session_.upstream_end();
  if (session_.upstream_is_secondary() && !heartbeat && !has_more) return absl::InfiniteDuration();
  const absl::Duration interval = absl::Microseconds(heartbeat ? heartbeat->interval_micros() : 0);
  return std::max(kLongestWait, kIntervalsMissed * interval);
}

void UpstreamConnection::GiveUp(absl::string_view why, absl::Duration since) {
  gave_up_ = absl::StrCat(why, " for ", absl::FormatDuration(absl::Trunc(since, absl::Seconds(1))),
                          " over a connection that seemed to be well");
  HangUp();
}

bool UpstreamConnection::silent() const { return open_ && SinceIdle(news_) >= kLongestSilence; }

absl::Duration UpstreamConnection::SinceIdle(absl::Duration time) const {
  return outstanding_ == 0 ? runtime_.Now() - time : absl::ZeroDuration();
}

bool UpstreamConnection::IsRepeated(const v1::PublisherMessage& message) const {
  const std::optional<v1::Heartbeat>& last = session_.heartbeat();
  return message.has_heartbeat() && last && message.heartbeat().primary_time_micros() == last->primary_time_micros();
}

void UpstreamConnection::OnTaken() {
  untaken_since_.reset();
  Perform(session_.OnSent());
}

void UpstreamConnection::OnStreamMessage(v1::PublisherMessage message) {
  heard_ = runtime_.Now();
  if (!IsRepeated(message)) news_ = heard_;
  const bool heartbeat = message.has_heartbeat();
  Perform(session_.OnMessage(std::move(message)));
  // It was answered: to wake up and find that would be most of what an idle process does.
  if (heartbeat && open_) ScheduleKeepAlive();
}

void UpstreamConnection::OnWritten(const absl::Status& status) { Answer(session_.OnWritten(status)); }

void UpstreamConnection::OnCreated(const absl::Status& status) { Answer(session_.OnCreated(status)); }

void UpstreamConnection::OnProved(absl::StatusOr<replication::RebuildProof> proof) {
  Answer(session_.OnRebuildProved(std::move(proof)));
}

void UpstreamConnection::OnSwapped(const absl::Status& status) { Answer(session_.OnSwapped(status)); }

void UpstreamConnection::Answer(replication::FollowerEffects effects) {
  const auto self = shared_from_this();
  --outstanding_;
  heard_ = news_ = runtime_.Now();
  Perform(std::move(effects));
}

void UpstreamConnection::Stop(absl::Duration grace) {
  close_grace_ = grace;
  if (open_) {
    Perform(session_.OnStop());
  } else if (stream_) {
    stream_->Cancel();
  }
}

bool UpstreamConnection::TellRival(uint64_t generation, const std::string& message, absl::Duration grace) {
  if (!open_) return false;
  close_grace_ = grace;
  Perform(session_.OnRival(generation, message));
  return true;
}

void UpstreamConnection::HangUp() {
  if (stream_) stream_->Cancel();
}

void UpstreamConnection::Perform(replication::FollowerEffects effects) {
  ++performing_;
  for (replication::FollowerEffect& effect : effects) {
    std::visit(Overloaded{
                   [this](replication::SendToPublisher& send) {
                     sent_ = runtime_.Now();
                     untaken_since_ = sent_;
                     if (stream_) stream_->Write(std::move(send.message));
                   },
                   [this](replication::ReceiveFromPublisher&) {
                     if (stream_) stream_->Read();
                   },
                   [this](replication::CreateCopy& create) { Ask(hooks_.create, std::move(create)); },
                   [this](replication::AdoptLineage& adopt) { Ask(hooks_.adopt, std::move(adopt)); },
                   [this](replication::PrepareRebuild& prepare) { Ask(hooks_.prepare, std::move(prepare)); },
                   [this](replication::WriteGroup& write) { Ask(hooks_.write, std::move(write)); },
                   [this](replication::ProveRebuild& prove) { Ask(hooks_.prove, prove); },
                   [this](replication::SwapCopy& swap) { Ask(hooks_.swap, swap); },
                   [this](replication::ClosePublisher&) { CloseStream(); },
               },
               effect);
  }
  // The peer may have ended too and take nothing more: then what is to be said last is never taken.
  if (session_.end()) LimitEnding();
  if (!finished_) hooks_.changed();
  --performing_;
  FinishIfPossible();
}

void UpstreamConnection::CloseStream() {
  if (!stream_) return;
  stream_->Close();
  LimitEnding();
}

void UpstreamConnection::LimitEnding() {
  if (!stream_ || cancel_timer_) return;
  cancel_timer_ = runtime_.After(close_grace_, [this] {
    if (stream_) stream_->Cancel();
  });
}

void UpstreamConnection::OnStreamClosed(absl::Status status) {
  const auto self = shared_from_this();
  cancel_timer_.reset();
  keep_alive_timer_.reset();
  silence_timer_.reset();
  stream_.reset();
  open_ = false;
  stream_closed_ = true;
  close_status_ = gave_up_.empty() ? std::move(status) : absl::UnavailableError(gave_up_);
  FinishIfPossible();
}

void UpstreamConnection::FinishIfPossible() {
  // A wish that is answered at once must not end what has more to wish.
  if (!stream_closed_ || outstanding_ > 0 || performing_ > 0 || finished_) return;
  finished_ = true;
  hooks_.closed(close_status_);
}

}  // namespace zrs::storage
