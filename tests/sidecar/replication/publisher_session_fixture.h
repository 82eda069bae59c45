// A publisher session before a file in memory, for its tests.
#ifndef ZRS_TESTS_SIDECAR_REPLICATION_PUBLISHER_SESSION_FIXTURE_H_
#define ZRS_TESTS_SIDECAR_REPLICATION_PUBLISHER_SESSION_FIXTURE_H_

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "sidecar/replication/publisher_session.h"
#include "tests/sidecar/replication/drivers.h"
#include "tests/sidecar/replication/fixtures.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {

inline v1::FollowerMessage HelloMessage(const filestorage::Boundary& position) {
  v1::FollowerMessage message;
  *message.mutable_hello() = HelloAt(position);
  return message;
}

inline v1::FollowerMessage Acknowledgement(uint64_t offset) {
  v1::FollowerMessage message;
  message.mutable_acknowledge()->set_durable_offset(offset);
  return message;
}

class PublisherSessionTest : public ::testing::Test {
 protected:
  PublisherSessionTest() { file_.AddMany(20, 50); }

  // Begins to serve a follower that has `from`; the welcome is still being sent.
  PublisherDriver& Serve(const filestorage::Boundary& from,
                         PublisherOptions options = {.batch_size = 200, .read_ahead = 2}) {
    driver_.emplace(options, PublicationOf(file_));
    driver_->receiving = true;
    driver_->Receive(HelloMessage(from));
    if (driver_->probe) driver_->Do(driver_->session.OnProbed(true));
    return *driver_;
  }

  // Serves one who has everything, up to where nothing is left to do.
  PublisherDriver& ServeIdle() {
    PublisherDriver& driver = Serve(file_.end());
    driver.Run(file_.bytes());
    return driver;
  }

  void ExpectEnd(PublisherDriver& driver, v1::End::Reason reason, const std::string& text = "") {
    EXPECT_EQ(driver.session.state(), PublisherSession::State::kEnding);
    ASSERT_TRUE(driver.session.own_end().has_value());
    const std::vector<v1::PublisherMessage> sent = driver.Run(file_.bytes());
    ASSERT_FALSE(sent.empty());
    ASSERT_TRUE(sent.back().has_end());
    EXPECT_EQ(sent.back().end().reason(), reason) << sent.back().end().message();
    EXPECT_NE(sent.back().end().message().find(text), std::string::npos) << sent.back().end().message();
    EXPECT_FALSE(sent.back().end().remedy().empty());
    EXPECT_TRUE(driver.closed);
  }

  const filestorage::Boundary& At(size_t transaction) const { return file_.boundaries()[transaction]; }

  tests::FileBuilder file_;
  std::optional<PublisherDriver> driver_;
};

}  // namespace zrs::replication

#endif  // ZRS_TESTS_SIDECAR_REPLICATION_PUBLISHER_SESSION_FIXTURE_H_
