#compdef sctpctl
# SPDX-License-Identifier: BSD-2-Clause
# Completion of sctpctl for zsh. The candidates and what is said of them are
# sctpctl's own: it has the tables. Where it has none, zsh completes file names.

_sctpctl()
{
	local line word entry
	local -a whole open

	for line in ${(f)"$($words[1] --complete-text "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
		word=${line%%$'\t'*}
		entry=${word//:/\\:}
		[[ $line == *$'\t'* ]] && entry+=:${line#*$'\t'}
		# What ends with "=" or "." goes on.
		if [[ $word == *[=.] ]]; then
			open+=("$entry")
		else
			whole+=("$entry")
		fi
	done
	(( $#whole + $#open )) || { _files; return }
	(( $#whole )) && _describe -t words word whole
	(( $#open )) && _describe -t parts word open -S ''
}

_sctpctl "$@"
