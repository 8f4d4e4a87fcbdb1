# SPDX-License-Identifier: BSD-2-Clause
# Completion of sctpctl for bash. The candidates are sctpctl's own: it has the
# tables.

_sctpctl()
{
	local line=${COMP_LINE:0:COMP_POINT} cur words w i options

	# Not COMP_WORDS: bash cuts those at "=" and ":".
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	cur=${words[-1]}
	if [[ $cur == -* ]]; then
		options="--socket --json --color --timeout --verbose --help --version
		    --ip --stream --ppid --ostreams --option --hex --raw --one-to-one
		    --keep --end-at-eof --wait"
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return
	fi
	# What is left without options and their arguments.
	local plain=()
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		w=${words[i]}
		case $w in
		-s|-w|--socket|--color|--timeout|--ip|--stream|--ppid|--ostreams|--wait|-o|--option)
			((i++)) ;;
		-*)
			;;
		*)
			plain+=("$w") ;;
		esac
	done
	if [[ ${#words[@]} -gt 1 && ${words[-2]} == @(-o|--option) ]]; then # what open takes
		mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" --complete open "options.$cur" 2>/dev/null)
		COMPREPLY=("${COMPREPLY[@]#options.}")
	else
		mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" --complete "${plain[@]}" "$cur" 2>/dev/null)
	fi
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
	# bash replaces only what follows the last "=" of the word.
	if [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*=}"}"}")
	fi
}

complete -F _sctpctl sctpctl
