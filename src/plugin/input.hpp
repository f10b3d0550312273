// auditd's pipe: standard input, drained as fast as it comes.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace luatrail::plugin {

class Input {
  public:
    enum class End {
        of_input, // auditd, or another writer, has closed it
        trouble,  // it cannot be read
        binary,   // auditd's binary protocol: nothing of it was handed on
    };
    using Take = std::function<void(std::string_view)>;
    using Ended = std::function<void(End, const std::string& why)>;

    Input(boost::asio::io_context& io, Take take, Ended ended)
        : io_(io), input_(io), take_(std::move(take)), ended_(std::move(ended)) {}

    // Reads within the loop. Throws base::Error when there is nothing to read from.
    void start();
    // Hands on what has been written so far, and has the writer know that no more is read: auditd then keeps the rest
    // for the plugin that it starts next.
    void close_and_drain();
    void stop();

  private:
    void read_stream();
    void read_file();
    bool hand_on(std::size_t size); // whether to go on

    boost::asio::io_context& io_;
    boost::asio::posix::stream_descriptor input_;
    Take take_;
    Ended ended_;
    std::array<char, 256UL * 1024> buffer_{};
    bool begun_ = false;
    bool stopped_ = false;
};

} // namespace luatrail::plugin
