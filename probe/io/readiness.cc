#include "probe/io/readiness.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace slosonde::io {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct Readiness::State {
  State(const asio::any_io_executor& executor, int number) : descriptor(executor), known(number) {}

  // Lent to Asio, and again when the first try failed.
  error_code lend() {
    error_code problem;
    if (!descriptor.is_open()) descriptor.assign(known, problem);
    return problem;
  }

  asio::posix::stream_descriptor descriptor;
  int known;
};

Readiness::Readiness(const asio::any_io_executor& executor, int descriptor)
    : state_(std::make_unique<State>(executor, descriptor)) {}

Readiness::~Readiness() {
  if (!state_->descriptor.is_open()) return;
  error_code ignored;
  state_->descriptor.cancel(ignored);
  state_->descriptor.release();
}

asio::awaitable<Result<void>> Readiness::wait() {
  if (const auto problem = state_->lend()) {
    co_return fail(error_from_errno(problem.value(), "waiting for a descriptor"));
  }
  auto [ended] = co_await state_->descriptor.async_wait(asio::posix::descriptor_base::wait_read, kTuple);
  if (!ended) co_return Result<void>();
  if (ended == asio::error::operation_aborted) {
    co_return fail(ErrorCode::cancelled, "cancelled while waiting for a descriptor");
  }
  co_return fail(error_from_errno(ended.value(), "waiting for a descriptor"));
}

}  // namespace slosonde::io
