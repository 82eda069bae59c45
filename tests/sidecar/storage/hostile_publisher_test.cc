// A publisher that does not keep to the protocol, and a whole secondary: the copy stays what it was, on the disk, and
// the status says what was wrong and what to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/scripted_peers.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using replication::BatchOf;
using ::testing::HasSubstr;
using Messages = std::vector<v1::PublisherMessage>;

class HostilePublisherTest : public StorageTest {
 protected:
  HostilePublisherTest() {
    primary_.Write(file_.bytes());
    primary_.Start();
    secondary_.Start();
    RunUntilEqual(primary_, secondary_);
    RunUntilState(secondary_, "streaming");
    primary_.Stop();
    committed_ = file_.bytes();
    before_ = file_.end();
    file_.AddMany(3, 5000);
  }

  // What resumes the follower where it is.
  static v1::PublisherMessage WelcomeFor(const v1::Hello& hello) {
    v1::PublisherMessage message;
    v1::Welcome& welcome = *message.mutable_welcome();
    welcome.set_version(1);
    welcome.set_decision(v1::Welcome::DECISION_RESUME);
    *welcome.mutable_lineage() = hello.lineage();
    welcome.set_magic("FS30");
    *welcome.mutable_start() = hello.position();
    welcome.set_committed_end(hello.position().offset() + 100'000);
    return message;
  }

  // Welcomes the secondary, then says these.
  void Publish(Messages messages) {
    publisher_ = std::make_unique<ScriptedPublisher>(world_.network(), "primary",
                                                     [messages = std::move(messages)](const v1::Hello& hello) {
                                                       Messages all = {WelcomeFor(hello)};
                                                       all.insert(all.end(), messages.begin(), messages.end());
                                                       return InTurn(std::move(all));
                                                     });
  }

  // The secondary has cut the connection, says why, and its copy is what it was.
  void ExpectRefused(const std::string& reason) {
    EXPECT_TRUE(world_.RunUntil([&] {
      const v1::StorageStatus status = secondary_.Status();
      return absl::StrContains(status.error().message(), reason);
    })) << secondary_.Status().DebugString();
    EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("primary"));
    EXPECT_FALSE(secondary_.Status().error().remedy().empty());
    EXPECT_FALSE(secondary_.serving());
    EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Data() == committed_; }));
  }
  void ExpectRefused(Messages messages, const std::string& reason) {
    Publish(std::move(messages));
    ExpectRefused(reason);
    ExpectHealsWithASoundPrimary();
  }

  void ExpectHealsWithASoundPrimary() {
    publisher_.reset();
    primary_.Write(file_.bytes());
    primary_.Start();
    RunUntilEqual(primary_, secondary_);
    RunUntilState(secondary_, "streaming");
    EXPECT_FALSE(secondary_.Status().has_error());
  }

  v1::PublisherMessage Next() { return BatchOf(file_.bytes(), before_.offset, file_.boundaries()[41].offset, before_); }

  Machine primary_{world_, "primary", ""};
  Machine secondary_{world_, "secondary", "primary"};
  std::string committed_;
  filestorage::Boundary before_;
  std::unique_ptr<ScriptedPublisher> publisher_;
  int64_t beats_ = 0;
};

TEST_F(HostilePublisherTest, AWrongOffset) {
  v1::PublisherMessage message = Next();
  message.mutable_batch()->set_offset(before_.offset + 1);
  ExpectRefused({message}, absl::StrCat("offset ", before_.offset));
}

TEST_F(HostilePublisherTest, AnEmptyBatch) {
  v1::PublisherMessage message = Next();
  message.mutable_batch()->clear_data();
  ExpectRefused({message}, "empty");
}

TEST_F(HostilePublisherTest, ABatchThatIsTooLong) {
  v1::PublisherMessage message = Next();
  message.mutable_batch()->mutable_data()->resize((1 << 20) + 1);
  ExpectRefused({message}, "more than");
}

TEST_F(HostilePublisherTest, AWrongDigest) {
  v1::PublisherMessage message = Next();
  message.mutable_batch()->mutable_data()->back() ^= 1;
  ExpectRefused({message}, "damaged on the way");
}

TEST_F(HostilePublisherTest, AWrongPredecessor) {
  ExpectRefused({BatchOf(file_.bytes(), before_.offset, file_.size(), file_.boundaries()[39])}, "follows");
}

TEST_F(HostilePublisherTest, AnOverlappingTransaction) {
  const filestorage::Boundary last = file_.boundaries()[41];
  committed_ = file_.bytes().substr(0, last.offset);  // the first of the two is sound
  ExpectRefused({Next(), BatchOf(file_.bytes(), before_.offset + 10, last.offset + 10, before_)},
                absl::StrCat("due is a batch at offset ", last.offset));
}

TEST_F(HostilePublisherTest, UnsoundBytes) {
  std::string bytes = file_.bytes();
  bytes[before_.offset + 16] = '?';
  ExpectRefused({BatchOf(bytes, before_.offset, bytes.size(), before_)}, "unsound bytes at offset");
}

TEST_F(HostilePublisherTest, AnUnsoundEndOfATransactionWhoseBeginningIsWritten) {
  file_.Add({.tid = tests::TestTid(90), .records = {{.oid = 1, .data = std::string(6 << 20, 'x')}}});
  std::string bytes = file_.bytes();
  bytes.back() ^= 1;
  Messages messages;
  for (uint64_t offset = before_.offset; offset < bytes.size(); offset += 200'000) {
    const filestorage::Boundary behind = offset == before_.offset ? before_ : file_.boundaries()[43];
    messages.push_back(BatchOf(bytes, offset, std::min<uint64_t>(offset + 200'000, bytes.size()), behind));
  }
  committed_ = bytes.substr(0, file_.boundaries()[43].offset);
  ExpectRefused(messages, "unsound bytes at offset");
}

TEST_F(HostilePublisherTest, ASecondWelcome) {
  v1::PublisherMessage message;
  message.mutable_welcome();
  ExpectRefused({message}, "second welcome");
}

TEST_F(HostilePublisherTest, AMessageOfNoKind) { ExpectRefused({v1::PublisherMessage()}, "unknown kind"); }

TEST_F(HostilePublisherTest, AnEndOfAnyLength) {
  v1::PublisherMessage message;
  message.mutable_end()->set_message(std::string(1 << 19, 'x'));
  ExpectRefused({message}, "xxxx");
  EXPECT_LT(secondary_.Status().error().message().size(), 5000u);
}

TEST_F(HostilePublisherTest, AWelcomeThatWouldReplaceTheCopy) {
  publisher_ = std::make_unique<ScriptedPublisher>(world_.network(), "primary", [](const v1::Hello& hello) {
    v1::PublisherMessage message = WelcomeFor(hello);
    message.mutable_welcome()->set_decision(v1::Welcome::DECISION_COPY);
    return InTurn<v1::PublisherMessage>({message});
  });
  ExpectRefused("copy");
}

TEST_F(HostilePublisherTest, ATransactionThatStopsInTheMiddle) {
  Publish({BatchOf(file_.bytes(), before_.offset, before_.offset + 1000, before_)});
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Status().upstream().connected(); }));
  EXPECT_TRUE(world_.RunUntil(
      [&] { return absl::StrContains(secondary_.Status().error().message(), "nothing is heard of the primary"); }));
  EXPECT_FALSE(secondary_.serving());
  EXPECT_EQ(secondary_.Data().substr(0, committed_.size()), committed_);
  publisher_->streams().back()->Cancel();
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Data() == committed_; }));
  ExpectHealsWithASoundPrimary();
}

TEST_F(HostilePublisherTest, NoWelcome) {
  publisher_ = std::make_unique<ScriptedPublisher>(world_.network(), "primary",
                                                   [](const v1::Hello&) { return InTurn<v1::PublisherMessage>({}); });
  ExpectRefused("does not answer");
  EXPECT_EQ(secondary_.Status().state(), "connecting");
}

// A transaction of which there is always more: it is no more than a full disk, which is cut and said.
TEST_F(HostilePublisherTest, AnEndlessTransaction) {
  secondary_.disk().SetCapacity(committed_.size() + (40 << 20));
  const std::string piece(256 << 10, 'x');
  publisher_ = std::make_unique<ScriptedPublisher>(
      world_.network(), "primary", [this, &piece](const v1::Hello& hello) -> ScriptedPublisher::Script::Next {
        std::string header = tests::EncodeTransaction({.tid = tests::TestTid(99)}, before_.offset).substr(0, 23);
        header[8] = 0x70;
        std::string record =
            tests::EncodeTransaction({.tid = tests::TestTid(99), .records = {{.oid = 1, .data = "x"}}}, before_.offset)
                .substr(23, 42);
        record[34] = 0x60;
        return [this, &piece, bytes = header + record, offset = before_.offset,
                welcome = std::optional(WelcomeFor(hello))]() mutable -> std::optional<v1::PublisherMessage> {
          if (welcome) return *std::exchange(welcome, std::nullopt);
          const std::string data = std::exchange(bytes, piece);
          v1::PublisherMessage message = BatchOf(data, 0, data.size(), before_);
          message.mutable_batch()->set_offset(offset);
          offset += data.size();
          return message;
        };
      });
  RunUntilState(secondary_, "disk-full");
  EXPECT_THAT(secondary_.Status().error().remedy(), HasSubstr("make room"));
  EXPECT_TRUE(world_.RunUntil([&] { return secondary_.Data() == committed_; }));
}

TEST_F(HostilePublisherTest, AFloodOfHeartbeats) {
  publisher_ = std::make_unique<ScriptedPublisher>(
      world_.network(), "primary", [this](const v1::Hello& hello) -> ScriptedPublisher::Script::Next {
        return [this, welcome = std::optional(WelcomeFor(hello))]() mutable -> std::optional<v1::PublisherMessage> {
          if (welcome) return *std::exchange(welcome, std::nullopt);
          v1::PublisherMessage message;
          *message.mutable_heartbeat() = replication::HeartbeatOf(before_.offset, {replication::Id('p')});
          message.mutable_heartbeat()->set_primary_time_micros(++beats_);
          return message;
        };
      });
  EXPECT_TRUE(world_.RunUntil([&] { return beats_ > 2000; }));
  EXPECT_TRUE(secondary_.Status().upstream().connected());
  EXPECT_EQ(secondary_.Data(), committed_);
}

}  // namespace
}  // namespace zrs::storage
