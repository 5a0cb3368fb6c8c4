# Whether the models of analyze_vehicle_interest ($answer) and their views equal what SQL found ($truth).
($answer.models | .columns as $c | [.rows[] | {model: .[$c | index("model")], views: .[$c | index("views")]}]) as $shown
| ($shown | length) == ([($truth | length), 5] | min)
  and $shown == $truth[:($shown | length)]
