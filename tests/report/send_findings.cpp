// Sends findings to a syslog socket and keeps what it sent: send_findings SOCKET rfc5424|cee COUNT SENT
// The JSON of each goes to the file SENT, one a line. Exit status 1 when any of them was not taken.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <boost/asio/io_context.hpp>

#include "luatrail/report/syslog_sink.hpp"
#include "report/findings.hpp"

int main(int argc, char** argv) {
    using namespace luatrail;
    if (argc != 5) {
        std::fputs("usage: send_findings SOCKET rfc5424|cee COUNT SENT\n", stderr);
        return 2;
    }
    report::SyslogOptions options;
    options.socket = argv[1];
    options.format.kind =
        argv[2] == std::string("cee") ? report::SyslogFormat::Kind::cee : report::SyslogFormat::Kind::rfc5424;
    options.format.hostname = "web01";
    options.format.procid = "4711";
    boost::asio::io_context io;
    report::SyslogSink sink(io, options, [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); });
    std::ofstream sent(argv[4]);
    const auto kinds = {test::dropped_script(), test::bare(), test::hostile()};
    const int count = std::atoi(argv[3]);
    for (int at = 0; at < count; ++at) {
        auto finding = at % 20 == 19 ? test::huge() : *(kinds.begin() + at % 3);
        finding.process.pid = static_cast<std::uint32_t>(at); // no two alike
        sink.on_finding(finding);
        const auto message = report::to_syslog(finding, options.format);
        sent << message.substr(message.find('{')) << '\n';
    }
    const auto left = sink.drain(20000);
    std::printf("%llu sent, %zu left\n", static_cast<unsigned long long>(sink.counters().sent), left);
    return left == 0 && sent.flush() ? 0 : 1;
}
