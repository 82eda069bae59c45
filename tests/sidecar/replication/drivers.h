// The owners that the sessions have in tests: they note what a session asks for, and check that it asks for no more
// than it may.
#ifndef ZRS_TESTS_SIDECAR_REPLICATION_DRIVERS_H_
#define ZRS_TESTS_SIDECAR_REPLICATION_DRIVERS_H_

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sidecar/replication/follower_session.h"
#include "sidecar/replication/publisher_session.h"

namespace zrs::replication {

class PublisherDriver {
 public:
  PublisherDriver(PublisherOptions options, Publication publication)
      : session(options, std::move(publication)), read_ahead_(options.read_ahead) {}

  void Do(PublisherEffects effects) {
    for (PublisherEffect& effect : effects) {
      ASSERT_FALSE(closed) << "an effect after CloseFollower";
      std::visit([this](auto& one) { Note(std::move(one)); }, effect);
    }
    EXPECT_LE(reads.size(), read_ahead_);
  }

  // Answers everything that is asked for from `file`, until the session asks for nothing more. Returns all it sent.
  std::vector<v1::PublisherMessage> Run(const std::string& file) {
    std::vector<v1::PublisherMessage> all;
    while (!closed && (sending || !reads.empty())) {
      if (!reads.empty()) {
        const ReadBytes read = reads.front();
        reads.pop_front();
        Do(session.OnBytes(read.offset, file.substr(static_cast<size_t>(read.offset), static_cast<size_t>(read.size))));
      } else {
        all.push_back(*std::exchange(sending, std::nullopt));
        Do(session.OnSent());
      }
    }
    return all;
  }

  // The message being sent, which is then done.
  v1::PublisherMessage Sent() {
    if (!sending) {
      ADD_FAILURE() << "nothing is being sent";
      return {};
    }
    v1::PublisherMessage message = *std::exchange(sending, std::nullopt);
    Do(session.OnSent());
    return message;
  }

  void Receive(const v1::FollowerMessage& message) {
    receiving = false;
    Do(session.OnMessage(message));
  }

  PublisherSession session;
  std::optional<v1::PublisherMessage> sending;
  std::deque<ReadBytes> reads;
  std::optional<filestorage::Boundary> probe;
  std::optional<OldPosition> probe_old;
  std::optional<DigestBytes> digest;
  std::optional<FindTransaction> find;
  std::optional<v1::Lineage> identity;  // to be taken
  bool receiving = false;
  bool closed = false;

 private:
  void Note(SendToFollower send) {
    EXPECT_FALSE(sending) << "two messages at a time";
    sending = std::move(send.message);
  }
  void Note(ReceiveFromFollower) {
    EXPECT_FALSE(receiving) << "two receives at a time";
    receiving = true;
  }
  void Note(ReadBytes read) { reads.push_back(read); }
  void Note(ProbeBoundary asked) { probe = asked.boundary; }
  void Note(ProbeOldPosition asked) { probe_old = asked.position; }
  void Note(DigestBytes asked) {
    EXPECT_FALSE(digest) << "two digests at a time";
    digest = asked;
  }
  void Note(FindTransaction asked) {
    EXPECT_FALSE(find) << "two questions at a time";
    find = asked;
  }
  void Note(TakeIdentity take) { identity = std::move(take.lineage); }
  void Note(CloseFollower) { closed = true; }

  size_t read_ahead_;
};

class FollowerDriver {
 public:
  FollowerDriver(FollowerOptions options, Copy copy)
      : session(options, std::move(copy)), most_queued_(options.queue_limit + options.largest_batch) {}

  void Do(FollowerEffects effects) {
    for (FollowerEffect& effect : effects) {
      ASSERT_FALSE(closed) << "an effect after ClosePublisher";
      std::visit([this](auto& one) { Note(std::move(one)); }, effect);
    }
    EXPECT_LE(session.queued_bytes(), most_queued_);
  }

  void Receive(v1::PublisherMessage message) {
    receiving = false;
    Do(session.OnMessage(std::move(message)));
  }

  v1::FollowerMessage Sent() {
    if (!sending) {
      ADD_FAILURE() << "nothing is being sent";
      return {};
    }
    v1::FollowerMessage message = *std::exchange(sending, std::nullopt);
    Do(session.OnSent());
    return message;
  }

  // The write that is asked for, done with `status`.
  WriteGroup Written(absl::Status status = absl::OkStatus()) {
    if (!writing) {
      ADD_FAILURE() << "nothing is being written";
      return {};
    }
    WriteGroup group = *std::exchange(writing, std::nullopt);
    Do(session.OnWritten(std::move(status)));
    return group;
  }

  FollowerSession session;
  std::optional<v1::FollowerMessage> sending;
  std::optional<WriteGroup> writing;
  std::optional<CreateCopy> creating;
  std::optional<AdoptLineage> adopting;
  std::optional<PrepareRebuild> preparing;
  std::optional<ProveRebuild> proving;
  std::optional<SwapCopy> swapping;
  bool receiving = false;
  bool closed = false;

 private:
  void Note(SendToPublisher send) {
    EXPECT_FALSE(sending) << "two messages at a time";
    sending = std::move(send.message);
  }
  void Note(ReceiveFromPublisher) {
    EXPECT_FALSE(receiving) << "two receives at a time";
    receiving = true;
  }
  void Note(CreateCopy create) { creating = std::move(create); }
  void Note(WriteGroup group) {
    EXPECT_FALSE(writing || creating || adopting || preparing || swapping) << "two writes at a time";
    writing = std::move(group);
  }
  void Note(AdoptLineage adopt) { adopting = std::move(adopt); }
  void Note(PrepareRebuild prepare) { preparing = std::move(prepare); }
  void Note(ProveRebuild prove) { proving = prove; }
  void Note(SwapCopy swap) {
    EXPECT_FALSE(writing) << "a swap while something is being written";
    swapping = swap;
  }
  void Note(ClosePublisher) { closed = true; }

  uint64_t most_queued_;
};

}  // namespace zrs::replication

#endif  // ZRS_TESTS_SIDECAR_REPLICATION_DRIVERS_H_
