# SPDX-License-Identifier: BSD-2-Clause
# Completion of sctpctl for fish. The candidates and what is said of them are
# sctpctl's own: it has the tables. Where it has none, fish completes file names.

function __sctpctl_words
	set -l words (commandline -opc)
	set -l typed (commandline -ct)
	set -l found ($words[1] --complete-text $words[2..-1] "$typed" 2>/dev/null)
	if set -q found[1]
		printf '%s\n' $found
	else
		__fish_complete_path "$typed"
	end
end

complete -c sctpctl -f -a '(__sctpctl_words)'
