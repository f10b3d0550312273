// Prints rendered findings, one a line, for validate_schema.py.
#include <cstdio>

#include "luatrail/report/json.hpp"
#include "luatrail/report/syslog.hpp"
#include "report/findings.hpp"

int main() {
    using namespace luatrail;
    for (const auto& finding : {test::dropped_script(), test::bare(), test::hostile(), test::huge()}) {
        std::puts(report::to_json(finding).c_str());
        for (const std::size_t max_bytes : {std::size_t{0}, std::size_t{4000}, std::size_t{8096}}) {
            report::SyslogFormat format;
            format.max_bytes = max_bytes;
            const auto message = report::to_syslog(finding, format);
            std::puts(message.substr(message.find('{')).c_str());
        }
    }
}
